{{- /*
The rules of a pod, in the Common Expression Language. The dict has root, and of: what
in the object has the pod's metadata and spec.
*/ -}}
{{- define "beamline-guard.rules" -}}
{{- $pod := printf "%s.spec" .of }}
{{- $meta := printf "%s.metadata" .of }}
{{- with .root.Values }}
variables:
  - name: containers
    expression: >-
      {{ $pod }}.containers
      + (has({{ $pod }}.initContainers) ? {{ $pod }}.initContainers : [])
      + (has({{ $pod }}.ephemeralContainers) ? {{ $pod }}.ephemeralContainers : [])
  - name: volumes
    expression: "has({{ $pod }}.volumes) ? {{ $pod }}.volumes : []"
  - name: contexts
    expression: >-
      (has({{ $pod }}.securityContext) ? [dyn({{ $pod }}.securityContext)] : [])
      + variables.containers.filter(c, has(c.securityContext)).map(c, dyn(c.securityContext))
  - name: elsewhere
    expression: >-
      (variables.containers.map(c, c.image) + variables.volumes.filter(v, has(v.image)).map(v, v.image.reference))
      .filter(i, !i.matches('@sha256:[0-9a-f]{64}$')
      || !{{ .registries | toJson }}.exists(r, i.startsWith(r + '/')))
  - name: paths
    expression: variables.volumes.filter(v, has(v.hostPath)).map(v, v.hostPath.path)
validations:
  - expression: "variables.elsewhere.size() == 0"
    reason: Forbidden
    messageExpression: >-
      'only images of {{ join ", " .registries }} run here, by digest, and not '
      + variables.elsewhere.join(', ') + '; promote a release with tagline promote'
  - expression: >-
      variables.containers.all(c, !has(c.securityContext) ||
      ((!has(c.securityContext.privileged) || !c.securityContext.privileged)
      && (!has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add)
      || c.securityContext.capabilities.add.all(a, a in {{ .capabilities | toJson }}))))
    reason: Forbidden
    message: no container is privileged here, or adds capabilities beyond {{ .capabilities | toJson }}
  - expression: >-
      variables.contexts.all(s,
      !(has(s.procMount) && s.procMount != 'Default')
      && !(has(s.seccompProfile) && s.seccompProfile.type == 'Unconfined')
      && !(has(s.appArmorProfile) && s.appArmorProfile.type == 'Unconfined')
      && !(has(s.seLinuxOptions) && has(s.seLinuxOptions.type) && s.seLinuxOptions.type != 'container_t')
      && !(has(s.windowsOptions) && has(s.windowsOptions.hostProcess) && s.windowsOptions.hostProcess)
      && !(has(s.sysctls) && s.sysctls.size() > 0))
      && !(has({{ $meta }}.annotations) && {{ $meta }}.annotations.exists(k,
      k.startsWith('container.apparmor.security.beta.kubernetes.io/') && {{ $meta }}.annotations[k] == 'unconfined'))
    reason: Forbidden
    message: >-
      no container is unconfined here, by seccomp, AppArmor or SELinux, sees the kernel's files unmasked,
      sets sysctls, or is a process of a Windows node
  - expression: "!(has({{ $pod }}.hostPID) && {{ $pod }}.hostPID) && !(has({{ $pod }}.hostIPC) && {{ $pod }}.hostIPC)"
    reason: Forbidden
    message: no pod sees the node's processes or their memory here
  - expression: >-
      variables.paths.all(p, {{ .hostPaths | toJson }}.exists(h, p == h || p.startsWith(h + '/')))
    reason: Forbidden
    message: no pod mounts folders of the node here beyond {{ .hostPaths | toJson }}
  - expression: >-
      variables.volumes.all(v, has(v.configMap) || has(v.downwardAPI) || has(v.emptyDir) || has(v.secret)
      || has(v.persistentVolumeClaim) || has(v.projected) || has(v.ephemeral) || has(v.csi) || has(v.hostPath)
      || has(v.image){{ range .volumes }} || has(v.{{ . }}){{ end }})
    reason: Forbidden
    message: no pod mounts what is neither the cluster's nor a driver's here, beyond {{ .volumes | toJson }}
  - expression: >-
      (!has({{ $pod }}.serviceAccountName) || {{ $pod }}.serviceAccountName in {{ concat (list "" "default") .serviceAccounts | toJson }})
      && (!has({{ $pod }}.serviceAccount) || {{ $pod }}.serviceAccount in {{ concat (list "" "default") .serviceAccounts | toJson }})
    reason: Forbidden
    message: no pod has the rights of another service account here than {{ concat (list "default") .serviceAccounts | toJson }}
  - expression: >-
      !has({{ $pod }}.priorityClassName) || !{{ $pod }}.priorityClassName.startsWith('system-')
      || {{ $pod }}.priorityClassName in {{ .priorityClasses | toJson }}
    reason: Forbidden
    message: no pod is of a priority class here that the cluster itself needs, beyond {{ .priorityClasses | toJson }}
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
