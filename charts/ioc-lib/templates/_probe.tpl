{{- /*
One question to this IOC and no other: the loopback's broadcast reaches every IOC
of the host, and the PV's name picks this one. A pvAccess server does not listen
on the loopback, so that search goes by the host's own networks.
*/ -}}
{{- define "ioc-lib.probe" -}}
exec:
  command:
    - /usr/bin/env
{{- if eq (.Values.protocol | default "ca") "pva" }}
    - EPICS_PVA_AUTO_ADDR_LIST=YES
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
