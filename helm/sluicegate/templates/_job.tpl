{{/* A Job cannot be changed: its name holds what it does, so that an upgrade that changes this makes another one.
Context: root, component, pod (its spec as text). */}}

{{- define "sluicegate.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "sluicegate.componentName" . }}-{{ .pod | sha256sum | trunc 8 }}
  labels:
    {{- include "sluicegate.labels" . | nindent 4 }}
spec:
  backoffLimit: 6
  template:
    metadata:
      labels:
        {{- include "sluicegate.podLabels" . | nindent 8 }}
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- .pod | nindent 6 }}
{{- end -}}
