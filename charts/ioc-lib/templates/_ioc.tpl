{{- /*
All that Kubernetes is told about one IOC instance. An instance's chart includes
this and nothing else; "." is the instance's own context.
*/ -}}
{{- define "ioc-lib.ioc" -}}
{{- if .Files.Glob "config/*" }}
{{ include "ioc-lib.configmap" . }}
{{- end }}
{{- if .Values.autosave }}
---
{{ include "ioc-lib.autosave" . }}
{{- end }}
{{- if eq .Values.network "cluster" }}
---
{{ include "ioc-lib.service" . }}
{{- end }}
---
{{ include "ioc-lib.deployment" . }}
{{ end -}}
