{{/* A Job cannot be changed: its name holds what it does, so that an upgrade that changes this makes another one.
Context: root, component, pod (its spec as text). */}}

{{- define "sluicegate.job" -}}
{{- $labels := include "sluicegate.podLabels" . -}}
{{- $annotations := toYaml .root.Values.podAnnotations -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "sluicegate.componentName" . }}-{{ cat $labels $annotations .pod | sha256sum | trunc 8 }}
  labels:
    {{- include "sluicegate.labels" . | nindent 4 }}
spec:
  backoffLimit: 6
  template:
    metadata:
      labels:
        {{- $labels | nindent 8 }}
      {{- if .root.Values.podAnnotations }}
      annotations:
        {{- $annotations | nindent 8 }}
      {{- end }}
    spec:
      {{- .pod | nindent 6 }}
{{- end -}}
