{{- /*
Where autosave writes. It outlives the release: what a motor knew of its position
is not to be lost with an uninstall.
*/ -}}
{{- define "ioc-lib.autosave" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .Chart.Name }}-autosave
  labels:
    {{- include "ioc-lib.versioned" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: {{ .Values.autosave | quote }}
{{- end }}
