{{- /*
The rules of a pod, in the Common Expression Language. The dict has root, and pod:
where in the object the pod's spec is.
*/ -}}
{{- define "beamline-guard.rules" -}}
{{- $pod := .pod }}
{{- with .root.Values }}
variables:
  - name: containers
    expression: >-
      {{ $pod }}.containers
      + (has({{ $pod }}.initContainers) ? {{ $pod }}.initContainers : [])
      + (has({{ $pod }}.ephemeralContainers) ? {{ $pod }}.ephemeralContainers : [])
  - name: elsewhere
    expression: >-
      variables.containers.filter(c, !c.image.matches('@sha256:[0-9a-f]{64}$')
      || !{{ .registries | toJson }}.exists(r, c.image.startsWith(r + '/')))
  - name: paths
    expression: "has({{ $pod }}.volumes) ? {{ $pod }}.volumes.filter(v, has(v.hostPath)).map(v, v.hostPath.path) : []"
validations:
  - expression: "variables.elsewhere.size() == 0"
    reason: Forbidden
    messageExpression: >-
      'only images of {{ join ", " .registries }} run here, by digest, and not '
      + variables.elsewhere.map(c, c.image).join(', ') + '; promote a release with tagline promote'
  - expression: >-
      variables.containers.all(c, !has(c.securityContext) ||
      ((!has(c.securityContext.privileged) || !c.securityContext.privileged)
      && (!has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add)
      || c.securityContext.capabilities.add.all(a, a in {{ .capabilities | toJson }}))))
    reason: Forbidden
    message: no container is privileged here, or adds capabilities beyond {{ .capabilities | toJson }}
  - expression: "!(has({{ $pod }}.hostPID) && {{ $pod }}.hostPID) && !(has({{ $pod }}.hostIPC) && {{ $pod }}.hostIPC)"
    reason: Forbidden
    message: no pod sees the node's processes or their memory here
  - expression: >-
      variables.paths.all(p, {{ .hostPaths | toJson }}.exists(h, p == h || p.startsWith(h + '/')))
    reason: Forbidden
    message: no pod mounts folders of the node here beyond {{ .hostPaths | toJson }}
{{- end }}
{{- end }}

{{- /*
What makes a policy hold in the namespace. The dict has root, and name.
*/ -}}
{{- define "beamline-guard.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ .root.Release.Namespace }}
{{- end }}
