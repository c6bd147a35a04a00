{{- /*
The instance's config folder, as the start-up script sees it at /epics/config.
*/ -}}
{{- define "ioc-lib.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}
  labels:
    {{- include "ioc-lib.versioned" . | nindent 4 }}
{{ include "ioc-lib.config" . }}
{{- end }}

{{- /*
Its files alone, whose checksum the pod template carries: a changed file restarts
the IOC. A file that is no UTF-8 text can only go into binaryData; Go's regular
expressions read each byte that is no text as U+FFFD.
*/ -}}
{{- define "ioc-lib.config" -}}
{{- $text := dict }}
{{- $binary := dict }}
{{- range $path, $content := .Files.Glob "config/*" }}
  {{- if regexMatch `\x{FFFD}` (toString $content) }}
    {{- $_ := set $binary (base $path) (toString $content | b64enc) }}
  {{- else }}
    {{- $_ := set $text (base $path) (toString $content) }}
  {{- end }}
{{- end -}}
data:
  {{- toYaml $text | nindent 2 }}
{{- with $binary }}
binaryData:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
