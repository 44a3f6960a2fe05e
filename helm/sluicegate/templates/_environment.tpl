{{/* What a container of ours is given: variables, volumes, and where these are mounted. Context: root, component. */}}

{{- define "sluicegate.env" -}}
{{- $values := .root.Values -}}
{{- include "sluicegate.settingsEnv" . }}
{{- if ne .component "model-pull" }}
{{- include "sluicegate.kafkaSecretsEnv" .root }}
{{- end }}
{{- if has .component (list "consumer" "worker" "test") }}
{{- with $values.objectStore }}
{{- if .existingSecret }}
{{- range $variable, $key := .secretKeys }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ $values.objectStore.existingSecret }}, key: {{ $key }}}}
{{- end }}
{{- end }}
{{- if .caSecret }}
- name: SSL_CERT_FILE
  value: /etc/sluicegate/store-tls/{{ .caKey }}
{{- end }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluicegate.kafkaSecretsEnv" -}}
{{- $kafka := .Values.kafka -}}
{{- if hasPrefix "SASL" $kafka.securityProtocol }}
- name: SLUICEGATE_KAFKA__SASL_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $kafka.sasl.existingSecret }}, key: {{ $kafka.sasl.usernameKey }}}}
- name: SLUICEGATE_KAFKA__SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $kafka.sasl.existingSecret }}, key: {{ $kafka.sasl.passwordKey }}}}
{{- end }}
{{- if and $kafka.tls.existingSecret $kafka.tls.privateKeyPasswordKey }}
- name: SLUICEGATE_KAFKA__TLS_KEY_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $kafka.tls.existingSecret }}, key: {{ $kafka.tls.privateKeyPasswordKey }}}}
{{- end }}
{{- end -}}

{{- define "sluicegate.mounts" -}}
{{- $values := .root.Values -}}
- {name: tmp, mountPath: /tmp}
{{- if and $values.kafka.tls.existingSecret (ne .component "model-pull") }}
- {name: kafka-tls, mountPath: /etc/sluicegate/kafka-tls, readOnly: true}
{{- end }}
{{- if has .component (list "consumer" "worker" "test") }}
{{- if or $values.policy.document $values.policy.existingConfigMap }}
- {name: policy, mountPath: /etc/sluicegate/policy, readOnly: true}
{{- end }}
{{- if $values.objectStore.caSecret }}
- {name: store-tls, mountPath: /etc/sluicegate/store-tls, readOnly: true}
{{- end }}
{{- with $values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- if eq (include "sluicegate.usesModel" .) "true" }}
- {name: model, mountPath: {{ $values.consumer.modelCache.mountPath }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "sluicegate.volumes" -}}
{{- $values := .root.Values -}}
- {name: tmp, emptyDir: {sizeLimit: 1Gi}}
{{- if and $values.kafka.tls.existingSecret (ne .component "model-pull") }}
- {name: kafka-tls, secret: {secretName: {{ $values.kafka.tls.existingSecret }}, defaultMode: 288}}
{{- end }}
{{- if has .component (list "consumer" "worker" "test") }}
{{- if or $values.policy.document $values.policy.existingConfigMap }}
- {name: policy, configMap: {name: {{ include "sluicegate.policyName" .root }}}}
{{- end }}
{{- if $values.objectStore.caSecret }}
- {name: store-tls, secret: {secretName: {{ $values.objectStore.caSecret }}, defaultMode: 288}}
{{- end }}
{{- with $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- if eq (include "sluicegate.usesModel" .) "true" }}
- {name: model, persistentVolumeClaim: {claimName: {{ include "sluicegate.modelClaim" .root }}}}
{{- end }}
{{- end -}}

{{- define "sluicegate.usesModel" -}}
{{- and (has .component (list "consumer" "test" "model-pull")) (eq (include "sluicegate.hasModelVolume" .root) "true") -}}
{{- end -}}

{{- define "sluicegate.modelClaim" -}}
{{- default (printf "%s-model" (include "sluicegate.fullname" .)) .Values.consumer.modelCache.existingClaim -}}
{{- end -}}

{{- define "sluicegate.policyName" -}}
{{- default (printf "%s-policy" (include "sluicegate.fullname" .)) .Values.policy.existingConfigMap -}}
{{- end -}}
