{{- /*
Where an IOC in the cluster's network is found: by the name of the instance, at
the ports that its environment or EPICS Base says. Clients name it in
EPICS_CA_ADDR_LIST and EPICS_PVA_ADDR_LIST, as no broadcast reaches it.
*/ -}}
{{- define "ioc-lib.service" -}}
{{- $env := .Values.env | default dict -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Chart.Name }}
  labels:
    {{- include "ioc-lib.versioned" . | nindent 4 }}
spec:
  selector:
    app.kubernetes.io/instance: {{ .Chart.Name }}
  ports:
    - name: ca
      port: {{ coalesce $env.EPICS_CAS_SERVER_PORT $env.EPICS_CA_SERVER_PORT 5064 }}
    - name: ca-search
      protocol: UDP
      port: {{ coalesce $env.EPICS_CAS_SERVER_PORT $env.EPICS_CA_SERVER_PORT 5064 }}
    - name: ca-repeater
      protocol: UDP
      port: {{ coalesce $env.EPICS_CA_REPEATER_PORT 5065 }}
    - name: pva
      port: {{ coalesce $env.EPICS_PVAS_SERVER_PORT $env.EPICS_PVA_SERVER_PORT 5075 }}
    - name: pva-search
      protocol: UDP
      port: {{ coalesce $env.EPICS_PVAS_BROADCAST_PORT $env.EPICS_PVA_BROADCAST_PORT 5076 }}
    {{- with .Values.opi }}
    - name: opi
      port: {{ .port | int64 }}
    {{- end }}
{{- end }}
