{{- /*
The IOC itself. The pod template depends on what the IOC runs and on nothing
else: an instance that a release did not change is not restarted by it.
*/ -}}
{{- define "ioc-lib.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Chart.Name }}
  labels:
    {{- include "ioc-lib.versioned" . | nindent 4 }}
spec:
  # Two copies of an IOC would fight over one device: the old one goes first.
  replicas: {{ eq (toString .Values.start) "false" | ternary 0 1 }}
  strategy:
    type: Recreate
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/instance: {{ .Chart.Name }}
  template:
    metadata:
      labels:
        {{- include "ioc-lib.labels" . | nindent 8 }}
        {{- with .Values.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        tagline/config: {{ include "ioc-lib.config" . | sha256sum }}
        {{- with .Values.annotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "ioc-lib.pod" . | nindent 6 }}
{{- end }}

{{- define "ioc-lib.pod" -}}
{{- if ne .Values.network "cluster" -}}
# Channel Access and pvAccess search by broadcast, which only the host's network has.
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{ end -}}
enableServiceLinks: false
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ .Values.graceSeconds | default 30 | int64 }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.uid | default 1000 | int64 }}
  runAsGroup: {{ .Values.gid | default 1000 | int64 }}
  fsGroup: {{ .Values.gid | default 1000 | int64 }}
  {{- with include "ioc-lib.groups" . }}
  supplementalGroups: {{ . }}
  {{- end }}
  {{- with omit ((.Values.pod | default dict).securityContext | default dict) "supplementalGroups" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with include "ioc-lib.podClaims" . | trim }}
{{ . }}
{{- end }}
{{- include "ioc-lib.place" . }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with omit (.Values.pod | default dict) "securityContext" "volumes" }}
{{ toYaml . }}
{{- end }}
{{- $before := concat (include "ioc-lib.opiCopy" . | fromYamlArray) (.Values.initContainers | default list) }}
{{- with include "ioc-lib.beside" (dict "root" . "all" $before) | trim }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
containers:
  - name: {{ include "ioc-lib.role" . }}
    {{- include "ioc-lib.container" . | nindent 4 }}
  {{- $beside := concat (include "ioc-lib.opiServer" . | fromYamlArray) (.Values.containers | default list) }}
  {{- with include "ioc-lib.beside" (dict "root" . "all" $beside) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
volumes:
  {{- if .Files.Glob "config/*" }}
  - name: config
    configMap:
      name: {{ .Chart.Name }}
  {{- end }}
  {{- if .Values.autosave }}
  - name: autosave
    persistentVolumeClaim:
      claimName: {{ .Chart.Name }}-autosave
  {{- end }}
  - name: tmp
    emptyDir: {}
  {{- if .Values.opi }}
  - name: opi
    emptyDir: {}
  {{- end }}
  {{- with printf "%s%s" (include "ioc-lib.volumes" .) (include "ioc-lib.deviceVolumes" .) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with (.Values.pod | default dict).volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
