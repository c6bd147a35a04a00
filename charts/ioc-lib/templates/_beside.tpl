{{- /*
Containers beside the IOC's, with the image of the IOC where they name none. They
are as confined as the IOC, unless they say otherwise. The dict has all and root.
*/ -}}
{{- define "ioc-lib.beside" -}}
{{- range .all }}
{{- $container := deepCopy . }}
{{- if not .image }}
{{- $_ := set $container "image" $.root.Values.image }}
{{- end }}
{{- $confined := .securityContext | default dict | deepCopy }}
{{- if not (or $confined.privileged (hasKey $confined "allowPrivilegeEscalation")) }}
{{- $_ := set $confined "allowPrivilegeEscalation" false }}
{{- end }}
{{- $_ := set $container "securityContext" $confined }}
{{ list $container | toYaml }}
{{- end }}
{{- end }}
