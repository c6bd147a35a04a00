{{- /*
One question to this IOC and no other: the loopback's broadcast reaches every IOC
of the host, and the PV's name picks this one. An IOC that is bound to interfaces
by EPICS_CAS_INTF_ADDR_LIST is asked there. A pvAccess server does not listen
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
    - EPICS_CA_ADDR_LIST={{ (.Values.env | default dict).EPICS_CAS_INTF_ADDR_LIST | default "127.255.255.255" }}
    - EPICS_CA_AUTO_ADDR_LIST=NO
    - caget
    - -t
{{- end }}
    - -w
    - "3"
    - {{ .Values.probePV | quote }}
timeoutSeconds: 5
{{- end }}

{{- /* The seconds that the IOC has to start: startup.within, as in 90s, 3m or 1h. */ -}}
{{- define "ioc-lib.within" -}}
{{- $within := (.Values.startup | default dict).within | default "2m" }}
{{- $number := regexFind "^[0-9]+" $within | int }}
{{- if hasSuffix "h" $within }}{{ mul $number 3600 }}
{{- else if hasSuffix "m" $within }}{{ mul $number 60 }}
{{- else }}{{ max $number 2 }}
{{- end }}
{{- end }}
