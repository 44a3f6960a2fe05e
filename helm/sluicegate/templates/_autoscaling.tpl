{{/* KEDA follows the lag of a topic in a consumer group. Context: root, component, topic, group. */}}

{{- define "sluicegate.scaledObject" -}}
{{- $scaling := (index .root.Values .component).autoscaling -}}
{{- $kafka := .root.Values.kafka -}}
{{- if $scaling.enabled }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "sluicegate.componentName" . }}
  labels:
    {{- include "sluicegate.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "sluicegate.componentName" . }}}
  pollingInterval: {{ $scaling.pollingInterval }}
  minReplicaCount: {{ $scaling.minReplicas }}
  maxReplicaCount: {{ $scaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml $scaling.behavior | nindent 8 }}
  triggers:
    - type: kafka
      metadata:
        bootstrapServers: {{ join "," $kafka.bootstrapServers | quote }}
        consumerGroup: {{ .group | quote }}
        topic: {{ .topic | quote }}
        lagThreshold: {{ $scaling.lagThreshold | quote }}
        offsetResetPolicy: earliest
        sasl: {{ include "sluicegate.kedaSasl" $kafka }}
        tls: {{ ternary "enable" "disable" (has $kafka.securityProtocol (list "SSL" "SASL_SSL")) }}
      {{- if include "sluicegate.kedaSecrets" $kafka }}
      authenticationRef: {name: {{ include "sluicegate.fullname" .root }}-kafka}
      {{- end }}
{{- end }}
{{- end -}}

{{- define "sluicegate.kedaSasl" -}}
{{- if hasPrefix "SASL" .securityProtocol -}}
{{- get (dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512") .sasl.mechanism -}}
{{- else -}}none{{- end -}}
{{- end -}}

{{/* Context: the values of Kafka. */}}
{{- define "sluicegate.kedaSecrets" -}}
{{- if hasPrefix "SASL" .securityProtocol }}
- {parameter: username, name: {{ .sasl.existingSecret }}, key: {{ .sasl.usernameKey }}}
- {parameter: password, name: {{ .sasl.existingSecret }}, key: {{ .sasl.passwordKey }}}
{{- end }}
{{- with .tls }}
{{- if .existingSecret }}
{{- range $parameter, $key := dict "ca" .caKey "cert" .certificateKey "key" .privateKeyKey "keyPassword" .privateKeyPasswordKey }}
{{- if $key }}
- {parameter: {{ $parameter }}, name: {{ $.tls.existingSecret }}, key: {{ $key }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
