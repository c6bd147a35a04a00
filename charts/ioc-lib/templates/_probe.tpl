{{- /*
What ioc-run, process 1 of the container, is to watch. It asks this IOC and no
other for the probe PV, over one standing connection, and ends when the IOC is
dead: Kubernetes then restarts it, each time a little later. So nothing is
executed in a container that has started.
*/ -}}
{{- define "ioc-lib.watch" -}}
- name: IOC_RUN_PV
  value: {{ .Values.probePV | quote }}
- name: IOC_RUN_PROTOCOL
  value: {{ .Values.protocol | default "ca" }}
{{- if .Values.probeAdvances }}
- name: IOC_RUN_ADVANCES
  value: "yes"
{{- end }}
- name: IOC_RUN_GRACE
  value: {{ .Values.graceSeconds | default 30 | int64 | quote }}
{{- with (.Values.startup | default dict).within }}
- name: IOC_RUN_WITHIN
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- /*
Until the IOC has started. How long that may take is for ioc-run to judge, which
knows it from the generic IOC or the instance; the hour here is never reached.
*/ -}}
{{- define "ioc-lib.started" -}}
exec:
  command: [/epics/ioc-run/ioc-run, --ready]
timeoutSeconds: 10
periodSeconds: 2
failureThreshold: 1800
{{- end }}
