{{- /*
All that Kubernetes is told about one IOC instance. An instance's chart includes
this and nothing else; "." is the instance's own context.
*/ -}}
{{- define "ioc-lib.ioc" -}}
{{ include "ioc-lib.configmap" . }}
{{- if .Values.autosave }}
---
{{ include "ioc-lib.autosave" . }}
{{- end }}
---
{{ include "ioc-lib.deployment" . }}
{{ end -}}
