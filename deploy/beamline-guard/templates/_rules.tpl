{{- /*
The rules of a pod, in the Common Expression Language. The dict has root, and of: what
in the object has the pod's metadata and spec. What a pod needs beyond an IOC is told in
the words of a policy's consents, as pipelines/chart finds it at the gate: a test holds
the two together.
*/ -}}
{{- define "beamline-guard.rules" -}}
{{- $pod := printf "%s.spec" .of }}
{{- $meta := printf "%s.metadata" .of }}
{{- with .root.Values }}
variables:
  - name: consents
    expression: {{ .consents | toJson | quote }}
  - name: containers
    expression: >-
      {{ $pod }}.containers + {{ $pod }}.?initContainers.orValue([]) + {{ $pod }}.?ephemeralContainers.orValue([])
  - name: volumes
    expression: "{{ $pod }}.?volumes.orValue([])"
  - name: annotations
    expression: "dyn({{ $meta }}.?annotations.orValue({}))"
  - name: elsewhere
    expression: >-
      (variables.containers.map(c, c.image) + variables.volumes.filter(v, has(v.image)).map(v, v.image.reference))
      .filter(i, !i.matches('@sha256:[0-9a-f]{64}$')
      || !({{ .registries | toJson }}.exists(r, i.startsWith(r + '/')) || ('image ' + i) in variables.consents))
  - name: pod
    expression: >-
      ({{ $pod }}.?hostPID.orValue(false) ? ['host processes'] : [])
      + ({{ $pod }}.?hostIPC.orValue(false) ? ['host memory'] : [])
      + [{{ $pod }}.?serviceAccountName.orValue(''), {{ $pod }}.?serviceAccount.orValue('')]
      .filter(s, !(s in ['', 'default'])).map(s, 'service account ' + s)
      + [{{ $pod }}.?priorityClassName.orValue('')].filter(p, p.startsWith('system-')).map(p, 'priority class ' + p)
      + [{{ $pod }}.?runtimeClassName.orValue('')].filter(r, r != '').map(r, 'runtime class ' + r)
      + {{ $pod }}.?resourceClaims.orValue([])
      .map(r, 'resource claim ' + r.?resourceClaimName.orValue(r.?resourceClaimTemplateName.orValue('')))
      + variables.annotations.filter(k, k.startsWith('cdi.k8s.io/')).map(k, 'device ' + variables.annotations[k])
      + variables.annotations.filter(k, k.startsWith('container.apparmor.security.beta.kubernetes.io/'))
      .map(k, variables.annotations[k]).filter(v, v == 'unconfined' || v.startsWith('localhost/'))
      .map(v, v == 'unconfined' ? v : 'profile ' + v.substring(10))
      + variables.volumes.filter(v, has(v.hostPath)).map(v, 'host path ' + v.hostPath.path)
  - name: kinds
    expression: >-
      variables.volumes.map(v, dyn(v).filter(k, !(k in ['name', 'configMap', 'downwardAPI', 'emptyDir', 'hostPath',
      'persistentVolumeClaim', 'projected', 'secret'])).map(k, 'volume ' + k))
  - name: confinement
    expression: >-
      ([dyn({{ $pod }}.?securityContext.orValue({}))]
      + variables.containers.map(c, dyn(c.?securityContext.orValue({})))).map(s,
      (s.?seccompProfile.?type.orValue('') == 'Unconfined' || s.?appArmorProfile.?type.orValue('') == 'Unconfined'
      ? ['unconfined'] : [])
      + [s.?seccompProfile.?localhostProfile.orValue(''), s.?appArmorProfile.?localhostProfile.orValue('')]
      .filter(p, p != '').map(p, 'profile ' + p)
      + (s.?seLinuxOptions.?type.orValue('container_t') != 'container_t' ? ['SELinux options'] : [])
      + (s.?procMount.orValue('Default') != 'Default' ? ['host kernel files'] : [])
      + (s.?windowsOptions.?hostProcess.orValue(false) || s.?privileged.orValue(false) ? ['privileged'] : [])
      + s.?sysctls.orValue([]).map(p, 'sysctl ' + p.name)
      + s.?capabilities.?add.orValue([]).map(p, 'capability ' + p))
  - name: rights
    expression: >-
      variables.containers.map(c,
      (c.?securityContext.?runAsUser.or({{ $pod }}.?securityContext.?runAsUser)
      .orValue(c.?securityContext.?runAsNonRoot.or({{ $pod }}.?securityContext.?runAsNonRoot).orValue(false) ? 1 : 0)
      == 0 ? ['root'] : [])
      + (c.?securityContext.?allowPrivilegeEscalation.orValue(true) ? ['privilege escalation'] : [])
      + dyn(c.?resources.?limits.orValue({})).filter(k, k.contains('/')).map(k, 'resource ' + k)
      + ({{ $pod }}.?hostNetwork.orValue(false) ? [] : c.?ports.orValue([]).filter(p, p.?hostPort.orValue(0) != 0)
      .map(p, 'host port ' + string(p.hostPort))))
  - name: refused
    expression: >-
      ([variables.pod] + variables.kinds + variables.confinement + variables.rights)
      .map(all, all.filter(n, !(n in variables.consents)).join(', ')).filter(s, s != '')
validations:
  - expression: "variables.elsewhere.size() == 0"
    reason: Forbidden
    messageExpression: >-
      'only images of {{ join ", " .registries }} run here, by digest, and not '
      + variables.elsewhere.join(', ') + '; promote a release with tagline promote'
  - expression: "variables.refused.size() == 0"
    reason: Forbidden
    messageExpression: >-
      'nothing here may need what the guard does not consent to: ' + variables.refused.join(', ')
      + '; where the policy consents to it, give the guard the values of tagline policy guard'
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
