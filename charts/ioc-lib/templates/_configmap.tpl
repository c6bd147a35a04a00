{{- /*
The instance's config folder, as the start-up script sees it at /epics/config. A
chart without one has it in the image.
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
the IOC. What YAML may not bring back as it was goes into binaryData: bytes that
are no text, which Go's regular expressions read as U+FFFD, and control characters.
*/ -}}
{{- define "ioc-lib.config" -}}
{{- $text := dict }}
{{- $binary := dict }}
{{- range $path, $content := .Files.Glob "config/*" }}
  {{- if regexMatch `[^\t\n\r -~\x{A0}-\x{2027}\x{202A}-\x{D7FF}\x{E000}-\x{FEFE}\x{FF00}-\x{FFFC}\x{10000}-\x{10FFFF}]` (toString $content) }}
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
