{{/* From values to the service's own settings, docs/settings.md, and from these to environment variables. */}}

{{/* What the chart itself knows; these keys are not for `settings`. Context: root. */}}
{{- define "sluicegate.ownSettings" -}}
{{- $values := .Values -}}
kafka:
  bootstrap_servers: {{ join "," $values.kafka.bootstrapServers | quote }}
  security_protocol: {{ $values.kafka.securityProtocol }}
  {{- if hasPrefix "SASL" $values.kafka.securityProtocol }}
  sasl_mechanism: {{ $values.kafka.sasl.mechanism }}
  {{- end }}
  {{- with $values.kafka.tls }}
  {{- if .existingSecret }}
  {{- if .caKey }}
  tls_ca_file: /etc/sluicegate/kafka-tls/{{ .caKey }}
  {{- end }}
  {{- if .certificateKey }}
  tls_certificate_file: /etc/sluicegate/kafka-tls/{{ .certificateKey }}
  tls_key_file: /etc/sluicegate/kafka-tls/{{ .privateKeyKey }}
  {{- end }}
  {{- end }}
  {{- end }}
topics:
  uploads: {{ $values.kafka.topics.uploads }}
  verdicts: {{ $values.kafka.topics.verdicts }}
  escalations: {{ $values.kafka.topics.escalations }}
  reviews: {{ $values.kafka.topics.reviews }}
  dead_letters: {{ $values.kafka.topics.deadLetters }}
observability:
  endpoint_host: 0.0.0.0
  endpoint_port: {{ $values.metrics.port }}
  {{- with $values.tracing.endpoint }}
  otlp_endpoint: {{ quote . }}
  {{- end }}
{{- with $values.objectStore }}
{{- if or .allowedUriPrefixes .endpoint .options }}
fetch:
  {{- with .allowedUriPrefixes }}
  allowed_uri_prefixes: {{ toJson . }}
  {{- end }}
  {{- $options := mergeOverwrite (dict) (deepCopy .options) }}
  {{- with .endpoint }}{{ $_ := set $options "aws_endpoint" . }}{{ end }}
  {{- with $options }}
  store_options: {{ toJson . }}
  {{- end }}
{{- end }}
{{- end }}
model:
  name: {{ include "sluicegate.modelName" . | quote }}
  {{- with $values.model.digest }}
  digest: {{ . | quote }}
  {{- end }}
  {{- if eq (include "sluicegate.hasModelVolume" .) "true" }}
  cache_dir: {{ $values.consumer.modelCache.mountPath }}
  {{- end }}
ollama:
  urls: {{ include "sluicegate.ollamaUrls" . }}
  model: {{ $values.ollama.model | quote }}
  {{- with $values.ollama.digest }}
  digest: {{ . | quote }}
  {{- end }}
{{- if or $values.policy.document $values.policy.existingConfigMap }}
policy_file: /etc/sluicegate/policy/{{ $values.policy.key }}
{{- end }}
{{- end -}}

{{- define "sluicegate.modelName" -}}
{{- .Values.model.name }}{{ with .Values.model.revision }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "sluicegate.hasModelVolume" -}}
{{- or (ne .Values.consumer.modelCache.existingClaim "") .Values.consumer.modelCache.create -}}
{{- end -}}

{{/* A JSON list. Each replica of our own Ollama is named: the worker knows which of them is busy. */}}
{{- define "sluicegate.ollamaUrls" -}}
{{- $urls := .Values.ollama.urls -}}
{{- if .Values.ollama.enabled -}}
{{- $name := include "sluicegate.componentName" (dict "root" . "component" "ollama") -}}
{{- $urls = list -}}
{{- range $index := until (int .Values.ollama.replicaCount) -}}
{{- $urls = append $urls (printf "http://%s-%d.%s.%s.svc:11434" $name $index $name $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- toJson $urls -}}
{{- end -}}

{{/* What an operator may set otherwise; the test asks with what both services are told. Context: root, component. */}}
{{- define "sluicegate.chosenSettings" -}}
{{- $device := dict "model" (dict "device" (ternary "cuda" "cpu" .root.Values.consumer.gpu.enabled)) -}}
{{- $chosen := ternary $device (dict) (eq .component "consumer") -}}
{{- $chosen = mergeOverwrite $chosen (deepCopy .root.Values.settings) -}}
{{- range ternary (list "worker" "consumer") (list .component) (eq .component "test") -}}
{{- $own := (index $.root.Values . | default dict).settings | default dict -}}
{{- $chosen = mergeOverwrite $chosen (deepCopy $own) -}}
{{- end -}}
{{- toYaml $chosen -}}
{{- end -}}

{{/* All settings of one component, without the sections that it has no use for. Context: root, component. */}}
{{- define "sluicegate.settings" -}}
{{- $unused := dict
  "consumer" (list "ollama")
  "worker" (list "model" "batch")
  "test" (list)
  "topics" (list "model" "batch" "ollama" "fetch" "decode" "policy_file")
  "model-pull" (list "kafka" "topics" "ollama" "batch" "fetch" "decode" "delivery" "policy_file") -}}
{{- $own := include "sluicegate.ownSettings" .root | fromYaml -}}
{{- $all := mergeOverwrite (include "sluicegate.chosenSettings" . | fromYaml) $own -}}
{{- if eq .component "model-pull" }}{{ $_ := set $all.model "device" "cpu" }}{{ end -}}
{{- range index $unused .component }}{{ $_ := unset $all . }}{{ end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* As environment variables. Lists and mappings are written as JSON. Context: root, component. */}}
{{- define "sluicegate.settingsEnv" -}}
{{- range $section, $keys := include "sluicegate.settings" . | fromYaml }}
{{- if kindIs "map" $keys }}
{{- range $key, $value := $keys }}
- name: SLUICEGATE_{{ upper $section }}__{{ upper $key }}
  value: {{ include "sluicegate.text" $value | quote }}
{{- end }}
{{- else }}
- name: SLUICEGATE_{{ upper $section }}
  value: {{ include "sluicegate.text" $keys | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluicegate.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* How long draining may take, in whole seconds: the services' own bound, operations/shutdown.py: the drain time,
20 s for the last commit and for leaving Kafka, 5 s for what is left. Context: root, component. */}}
{{- define "sluicegate.drainBound" -}}
{{- $delivery := (include "sluicegate.chosenSettings" . | fromYaml).delivery | default dict -}}
{{- add (ceil (float64 (default 25 $delivery.drain_timeout_s))) 20 5 -}}
{{- end -}}
