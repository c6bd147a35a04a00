{{- /*
The container runs the image's own entrypoint, which is ioc-run. It has a
terminal, so that whoever attaches to it has the IOC shell; nothing typed there
but `exit` ends the IOC. That of a service has an image without ioc-run, and runs
and is asked as its values say.
*/ -}}
{{- define "ioc-lib.container" -}}
{{- $more := .Values.container | default dict -}}
{{- $security := $more.securityContext | default dict -}}
image: {{ .Values.image | quote }}
imagePullPolicy: IfNotPresent
{{- with .Values.command }}
command: {{ toJson . }}
{{- end }}
{{- if not .Values.service }}
stdin: true
tty: true
{{- end }}
env:
  - name: IOC_NAME
    value: {{ .Chart.Name }}
  {{- if not .Values.service }}
  {{- include "ioc-lib.watch" . | nindent 2 }}
  {{- end }}
  {{- range $name, $value := .Values.env }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- with $more.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  {{- if include "ioc-lib.devicePaths" . }}
  # Kubernetes lets no other container open a device of the node.
  privileged: true
  {{- else }}
  allowPrivilegeEscalation: false
  {{- end }}
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
    {{- with ($security.capabilities | default dict).add }}
    add: {{ toJson . }}
    {{- end }}
  {{- with omit $security "capabilities" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with omit $more "env" "securityContext" "volumeMounts" }}
{{ toYaml . }}
{{- end }}
{{- with include "ioc-lib.resources" . | trim }}
resources:
  {{- . | nindent 2 }}
{{- end }}
{{- if not .Values.service }}
startupProbe:
  {{- include "ioc-lib.started" . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- if .Files.Glob "config/*" }}
  - name: config
    mountPath: /epics/config
    readOnly: true
  {{- end }}
  {{- if .Values.autosave }}
  - name: autosave
    mountPath: /epics/autosave
  {{- end }}
  - name: tmp
    mountPath: /tmp
  {{- with printf "%s%s" (include "ioc-lib.mounts" .) (include "ioc-lib.deviceMounts" .) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $more.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /*
Memory is kept for the IOC and bounded; the processor is only asked for, because
an IOC that is throttled misses its scans.
*/ -}}
{{- define "ioc-lib.resources" -}}
{{- if or .Values.cpu .Values.memory -}}
requests:
  {{- with .Values.cpu }}
  cpu: {{ . | quote }}
  {{- end }}
  {{- with .Values.memory }}
  memory: {{ . | quote }}
  {{- end }}
{{- end }}
{{- $devices := include "ioc-lib.deviceLimits" . | trim }}
{{- if or .Values.memory $devices }}
limits:
  {{- with .Values.memory }}
  memory: {{ . | quote }}
  {{- end }}
  {{- with $devices }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- include "ioc-lib.deviceClaims" . }}
{{- end }}
