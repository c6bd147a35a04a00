{{- /*
The screens of the IOC, which are in its own image, are copied for a web server that
has another. Both are lists of containers, empty where no screens are served.
*/ -}}
{{- define "ioc-lib.opiCopy" -}}
{{- if .Values.opi -}}
- name: opi-copy
  command: [cp, -r, /epics/config/opi/., /opi]
  volumeMounts:
    - {name: opi, mountPath: /opi}
{{- end }}
{{- end }}

{{- define "ioc-lib.opiServer" -}}
{{- with .Values.opi -}}
- name: opi
  image: {{ .image | quote }}
  ports:
    - {name: opi, containerPort: {{ .port | int64 }}}
  volumeMounts:
    - {name: opi, mountPath: {{ .mountPath | quote }}, readOnly: true}
{{- end }}
{{- end }}
