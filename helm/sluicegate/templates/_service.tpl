{{/* The two services differ in their command, in their settings and in what they mount; all else is the same.
Context: root, component, command, variant. */}}

{{- define "sluicegate.deployment" -}}
{{- $values := index .root.Values .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "sluicegate.componentName" . }}
  labels:
    {{- include "sluicegate.labels" . | nindent 4 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicaCount }}
  {{- end }}
  strategy:
    {{- toYaml $values.strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "sluicegate.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "sluicegate.podLabels" . | nindent 8 }}
      annotations:
        checksum/policy: {{ .root.Values.policy.document | sha256sum }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "sluicegate.servicePod" . | nindent 6 }}
{{- end -}}

{{- define "sluicegate.servicePod" -}}
{{- $values := index .root.Values .component -}}
{{- include "sluicegate.identity" . }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ include "sluicegate.gracePeriod" . }}
{{- include "sluicegate.placement" $values }}
{{ include "sluicegate.spread" (merge (dict "constraints" $values.topologySpreadConstraints) .) }}
containers:
  - name: {{ .component }}
    image: {{ include "sluicegate.image" . | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: [{{ .command }}]
    ports:
      - {name: metrics, containerPort: {{ .root.Values.metrics.port }}}
    env:
      {{- include "sluicegate.env" . | nindent 6 }}
    resources:
      {{- include "sluicegate.resources" (dict "resources" $values.resources "gpu" ($values.gpu | default (dict "enabled" false))) | nindent 6 }}
    securityContext:
      {{- include "sluicegate.containerSecurity" . | nindent 6 }}
    {{- include "sluicegate.probes" $values.probes | nindent 4 }}
    volumeMounts:
      {{- include "sluicegate.mounts" . | nindent 6 }}
volumes:
  {{- include "sluicegate.volumes" . | nindent 2 }}
{{- end -}}

{{/* Ten seconds beyond the bound, for the container runtime. */}}
{{- define "sluicegate.gracePeriod" -}}
{{- $given := (index .root.Values .component).terminationGracePeriodSeconds -}}
{{- default (add (include "sluicegate.drainBound" .) 10) (int $given) -}}
{{- end -}}

{{- define "sluicegate.disruptionBudget" -}}
{{- $values := index .root.Values .component -}}
{{- if $values.pdb.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "sluicegate.componentName" . }}
  labels:
    {{- include "sluicegate.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $values.pdb.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "sluicegate.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end -}}
