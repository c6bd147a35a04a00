{{- /*
One question to this IOC and no other: the loopback's broadcast reaches every IOC
of the host, and the PV's name picks this one.
*/ -}}
{{- define "ioc-lib.probe" -}}
exec:
  command:
    - /usr/bin/env
{{- if eq (.Values.protocol | default "ca") "pva" }}
    - EPICS_PVA_ADDR_LIST=127.0.0.1
    - EPICS_PVA_AUTO_ADDR_LIST=NO
    - pvget
{{- else }}
    - EPICS_CA_ADDR_LIST=127.255.255.255
    - EPICS_CA_AUTO_ADDR_LIST=NO
    - caget
    - -t
{{- end }}
    - -w
    - "3"
    - {{ .Values.probePV | quote }}
timeoutSeconds: 5
{{- end }}
