{{- /*
Who this is. None of it changes with the chart's version, so the pod template may
carry it: a label that did would restart every IOC of a beamline at each release.
*/ -}}
{{- define "ioc-lib.labels" -}}
app.kubernetes.io/name: {{ index .Chart.Annotations "tagline/ioc" | default (include "ioc-lib.role" .) | splitList " " | first }}
app.kubernetes.io/instance: {{ .Chart.Name }}
app.kubernetes.io/component: {{ include "ioc-lib.role" . }}
{{- with index .Chart.Annotations "tagline/beamline" }}
app.kubernetes.io/part-of: {{ . }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* What the pod's own container is called, too. */ -}}
{{- define "ioc-lib.role" -}}
{{ if .Values.service }}service{{ else }}ioc{{ end }}
{{- end }}

{{- /* Who this is and at which version: for everything but the pod template. */ -}}
{{- define "ioc-lib.versioned" -}}
{{ include "ioc-lib.labels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | default .Chart.Version | replace "+" "_" | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | trimSuffix "." | trimSuffix "_" | quote }}
{{- end }}
