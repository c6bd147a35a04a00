{{- /*
Folders with data, beside those that every IOC has. A folder of the node must be
there: Kubernetes would make one that is missing, and root's.
*/ -}}
{{- define "ioc-lib.volumes" -}}
{{- range .Values.volumes }}
- name: {{ .name }}
  {{- if .claim }}
  persistentVolumeClaim:
    claimName: {{ .claim | quote }}
  {{- else if .hostPath }}
  hostPath:
    path: {{ .hostPath | quote }}
    type: Directory
  {{- else }}
  nfs:
    server: {{ .nfs.server | quote }}
    path: {{ .nfs.path | quote }}
    {{- if .readOnly }}
    readOnly: true
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Where the IOC's container sees them. */ -}}
{{- define "ioc-lib.mounts" -}}
{{- range .Values.volumes }}
- name: {{ .name }}
  mountPath: {{ .mountPath | quote }}
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
{{- end }}
{{- end }}
