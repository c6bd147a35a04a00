{{- /*
The container runs the image's own entrypoint. It has a terminal, so that who
attaches to it has the IOC shell.
*/ -}}
{{- define "ioc-lib.container" -}}
image: {{ .Values.image | quote }}
imagePullPolicy: IfNotPresent
stdin: true
tty: true
env:
  - name: IOC_NAME
    value: {{ .Chart.Name }}
  {{- range $name, $value := .Values.env }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- with include "ioc-lib.resources" . }}
resources:
  {{- . | nindent 2 }}
{{- end }}
# An IOC has its time to start, in which it reaches its devices, before it serves
# PVs; once it does, only a minute and a half of silence restarts it.
startupProbe:
  {{- include "ioc-lib.probe" . | nindent 2 }}
  periodSeconds: 2
  failureThreshold: {{ div (include "ioc-lib.within" . | int) 2 }}
readinessProbe:
  {{- include "ioc-lib.probe" . | nindent 2 }}
  periodSeconds: 10
  failureThreshold: 2
livenessProbe:
  {{- include "ioc-lib.probe" . | nindent 2 }}
  periodSeconds: 15
  failureThreshold: 6
volumeMounts:
  - name: config
    mountPath: /epics/config
    readOnly: true
  {{- if .Values.autosave }}
  - name: autosave
    mountPath: /epics/autosave
  {{- end }}
  - name: tmp
    mountPath: /tmp
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
{{- with .Values.memory }}
limits:
  memory: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
