{{- /*
Devices by their path at the node. One that is missing keeps the pod from
starting, and Kubernetes says which.
*/ -}}
{{- define "ioc-lib.deviceVolumes" -}}
{{- range $i, $device := .Values.devices }}
{{- if .path }}
- name: device-{{ $i }}
  hostPath:
    path: {{ .path | quote }}
    type: {{ eq .path "/dev/bus/usb" | ternary "Directory" "CharDevice" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where the IOC's container sees them: at the same path. */ -}}
{{- define "ioc-lib.deviceMounts" -}}
{{- range $i, $device := .Values.devices }}
{{- if .path }}
- name: device-{{ $i }}
  mountPath: {{ .path | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Not empty when there are such. */ -}}
{{- define "ioc-lib.devicePaths" -}}
{{- range .Values.devices }}{{ with .path }}{{ . }}{{ end }}{{ end }}
{{- end }}

{{- /* Devices that a plugin of the cluster hands out. */ -}}
{{- define "ioc-lib.deviceLimits" -}}
{{- range .Values.devices }}
{{- with .resource }}
{{ . }}: "1"
{{- end }}
{{- end }}
{{- end }}

{{- /* Devices that are claimed: the pod has the claims, and its container uses them. */ -}}
{{- define "ioc-lib.podClaims" -}}
{{- $found := false }}
{{- range $i, $device := .Values.devices }}
{{- if .claim }}
{{- if not $found }}
resourceClaims:
{{- $found = true }}
{{- end }}
  - name: device-{{ $i }}
    resourceClaimName: {{ .claim | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ioc-lib.deviceClaims" -}}
{{- $found := false }}
{{- range $i, $device := .Values.devices }}
{{- if .claim }}
{{- if not $found }}
claims:
{{- $found = true }}
{{- end }}
  - name: device-{{ $i }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The groups that may open them, and others beside the IOC's own. */ -}}
{{- define "ioc-lib.groups" -}}
{{- $groups := list }}
{{- range ((.Values.pod | default dict).securityContext | default dict).supplementalGroups }}
{{- $groups = append $groups (int64 .) }}
{{- end }}
{{- range .Values.devices }}
{{- if .group }}
{{- $groups = append $groups (int64 .group) }}
{{- end }}
{{- end }}
{{- with $groups }}{{ uniq . | toJson }}{{ end }}
{{- end }}
