{{- /*
Where the IOC runs, and as whom. One node is chosen by its label and not past the
scheduler, so that tagline move can choose another.
*/ -}}
{{- define "ioc-lib.place" -}}
{{- $labels := .Values.nodeSelector | default dict }}
{{- with .Values.nodeName }}
{{- $labels = merge (dict "kubernetes.io/hostname" .) $labels }}
{{- end }}
{{- with $labels }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClass }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.serviceAccount }}
serviceAccountName: {{ . | quote }}
{{- end }}
{{- end }}
