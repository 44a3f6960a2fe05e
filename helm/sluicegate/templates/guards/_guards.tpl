{{/* What would install and then not work, or work otherwise than meant, is refused here, by a sentence. */}}

{{- define "sluicegate.guards" -}}
{{- include "sluicegate.guardKafka" . -}}
{{- include "sluicegate.guardService" (dict "root" . "component" "consumer") -}}
{{- include "sluicegate.guardService" (dict "root" . "component" "worker") -}}
{{- include "sluicegate.guardModel" . -}}
{{- include "sluicegate.guardOllama" . -}}
{{- include "sluicegate.guardSettings" . -}}
{{- include "sluicegate.guardNetwork" . -}}
{{- if and .Values.policy.document .Values.policy.existingConfigMap -}}
{{- fail "policy: document and existingConfigMap are both given: one of them" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled -}}
{{- fail "metrics: serviceMonitor and podMonitor are both enabled, so every metric would be counted twice: one of them" -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.guardKafka" -}}
{{- $kafka := .Values.kafka -}}
{{- if not $kafka.bootstrapServers -}}
{{- fail "kafka.bootstrapServers: names no broker: for example [my-cluster-kafka-bootstrap.kafka.svc:9092]" -}}
{{- end -}}
{{- range $kafka.bootstrapServers -}}
{{- if not (regexMatch ".:\\d+$" .) }}{{ fail (printf "kafka.bootstrapServers: %q has no port: write HOST:PORT" .) }}{{ end -}}
{{- end -}}
{{- if and (hasPrefix "SASL" $kafka.securityProtocol) (not $kafka.sasl.existingSecret) -}}
{{- fail (printf "kafka.sasl.existingSecret: kafka.securityProtocol %s needs the name of a secret with user and password" $kafka.securityProtocol) -}}
{{- end -}}
{{- if and $kafka.tls.existingSecret (not (hasSuffix "SSL" $kafka.securityProtocol)) -}}
{{- fail (printf "kafka.tls.existingSecret: is given, but kafka.securityProtocol %s does not encrypt: SSL or SASL_SSL" $kafka.securityProtocol) -}}
{{- end -}}
{{- if ne (not $kafka.tls.certificateKey) (not $kafka.tls.privateKeyKey) -}}
{{- fail "kafka.tls: certificateKey and privateKeyKey belong together: both or none" -}}
{{- end -}}
{{- if and (eq $kafka.topicProvisioning "strimzi") (not $kafka.topics.strimziCluster) -}}
{{- fail "kafka.topics.strimziCluster: topicProvisioning strimzi needs the name of the Kafka resource" -}}
{{- end -}}
{{- end -}}

{{/* Context: root, component. */}}
{{- define "sluicegate.guardService" -}}
{{- $values := index .root.Values .component -}}
{{- $partitions := int .root.Values.kafka.topics.partitions -}}
{{- $scaling := $values.autoscaling -}}
{{- $most := ternary $scaling.maxReplicas $values.replicaCount $scaling.enabled | int -}}
{{- if gt $most $partitions -}}
{{- $key := ternary "autoscaling.maxReplicas" "replicaCount" $scaling.enabled -}}
{{- fail (printf "%s.%s: %d, but the topics have %d partitions (kafka.topics.partitions): pods beyond that would have no work" .component $key $most $partitions) -}}
{{- end -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "%s.autoscaling.minReplicas: %d, more than maxReplicas, %d" .component (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- $grace := int $values.terminationGracePeriodSeconds -}}
{{- $bound := include "sluicegate.drainBound" . | int -}}
{{- if and (gt $grace 0) (le $grace $bound) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds: %d, but draining may take %d s (delivery.drain_timeout_s and 25): the pod would be killed with images in flight; more than %d, or 0 to have it computed" .component $grace $bound $bound) -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.guardModel" -}}
{{- $cache := .Values.consumer.modelCache -}}
{{- $most := ternary .Values.consumer.autoscaling.maxReplicas .Values.consumer.replicaCount .Values.consumer.autoscaling.enabled | int -}}
{{- if and $cache.create $cache.existingClaim -}}
{{- fail "consumer.modelCache: create and existingClaim are both given: one of them" -}}
{{- end -}}
{{- if and $cache.create (gt $most 1) (not (has "ReadWriteMany" $cache.accessModes)) -}}
{{- fail (printf "consumer.modelCache.accessModes: %d consumers share the volume, but %s can be mounted on one node alone: ReadWriteMany, or an existing claim" $most (join ", " $cache.accessModes)) -}}
{{- end -}}
{{- $volume := eq (include "sluicegate.hasModelVolume" .) "true" -}}
{{- if and $cache.pull.enabled (not $volume) -}}
{{- fail "consumer.modelCache.pull: there is no volume to pull to: set consumer.modelCache.create or existingClaim" -}}
{{- end -}}
{{- if and $cache.create (not $cache.pull.enabled) -}}
{{- fail "consumer.modelCache.create: the new volume would stay empty: enable consumer.modelCache.pull, or name an existing claim" -}}
{{- end -}}
{{- $isPath := hasPrefix "/" .Values.model.name -}}
{{- if and $cache.pull.enabled $isPath -}}
{{- fail (printf "model.name: %q is a directory, which cannot be pulled: a Hugging Face id, or consumer.modelCache.pull.enabled=false" .Values.model.name) -}}
{{- end -}}
{{- if not (or $volume $isPath (eq .Values.model.name "embedded")) -}}
{{- fail (printf "consumer.modelCache: model %q must come from somewhere: name the claim that holds it in existingClaim, or set create and pull.enabled" .Values.model.name) -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.guardOllama" -}}
{{- $ollama := .Values.ollama -}}
{{- if and $ollama.enabled $ollama.urls -}}
{{- fail "ollama: enabled, and urls given: one of them" -}}
{{- end -}}
{{- if not (or $ollama.enabled $ollama.urls) -}}
{{- fail "ollama: the worker has nobody to ask: set ollama.enabled, or name the servers in ollama.urls" -}}
{{- end -}}
{{- range $ollama.urls -}}
{{- $host := include "sluicegate.host" . -}}
{{- $inside := or (not (contains "." $host)) (regexMatch "\\.[a-z0-9-]+\\.svc(\\.|$)" $host) -}}
{{- if not (or $ollama.allowExternal (and $inside (not (contains ":" $host)))) -}}
{{- fail (printf "ollama.urls: %s is not in this cluster, and would be sent images: write NAME.NAMESPACE.svc if it is, or set ollama.allowExternal=true if you mean it" .) -}}
{{- end -}}
{{- end -}}
{{- $modes := $ollama.persistence.accessModes -}}
{{- if and $ollama.enabled (not $ollama.persistence.existingClaim) (gt (int $ollama.replicaCount) 1) (not (has "ReadWriteMany" $modes)) -}}
{{- fail (printf "ollama.persistence.accessModes: %d servers share the volume, but %s can be mounted on one node alone: ReadWriteMany, or an existing claim" (int $ollama.replicaCount) (join ", " $modes)) -}}
{{- end -}}
{{- if and $ollama.enabled (not $ollama.persistence.existingClaim) (not $ollama.pull.enabled) -}}
{{- fail "ollama.persistence: the new volume would stay empty: enable ollama.pull, or name an existing claim" -}}
{{- end -}}
{{- if regexMatch "(?i)(:|-)cloud$" $ollama.model -}}
{{- fail (printf "ollama.model: %q is a model of Ollama's cloud, which would be sent the images: a model that the server itself runs" $ollama.model) -}}
{{- end -}}
{{- end -}}

{{/* A setting that another value makes is said there: the network policy and KEDA are made from it, too. */}}
{{- define "sluicegate.guardSettings" -}}
{{- $own := include "sluicegate.ownSettings" . | fromYaml -}}
{{- $secret := list "sasl_username" "sasl_password" "tls_key_password" -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "SLUICEGATE_" .name }}{{ fail (printf "extraEnv: %s is a setting of the service: say it in settings, which is checked" .name) }}{{ end -}}
{{- end -}}
{{- range $where, $given := dict "settings" .Values.settings "consumer.settings" .Values.consumer.settings "worker.settings" .Values.worker.settings -}}
{{- range $section, $keys := $given -}}
{{- if not (kindIs "map" $keys) }}{{ fail (printf "%s.%s: a section with its keys, for example {delivery: {max_in_flight: 256}}" $where $section) }}{{ end -}}
{{- range $key, $_ := $keys -}}
{{- if or (hasKey (index $own $section | default dict) $key) (and (eq $section "kafka") (has $key $secret)) -}}
{{- fail (printf "%s.%s.%s: made from other values of this chart (%s): set it there" $where $section $key (ternary "objectStore" $section (eq $section "fetch"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.guardNetwork" -}}
{{- $network := .Values.networkPolicy -}}
{{- $ours := dict "networkPolicy.dns.to" $network.dns.to "networkPolicy.kafka.to" $network.kafka.to "networkPolicy.objectStore.to" $network.objectStore.to "networkPolicy.ollama.to" $network.ollama.to "networkPolicy.collector.to" $network.collector.to -}}
{{- range $network.extraEgress -}}
{{- if not .to }}{{ fail "networkPolicy.extraEgress: a rule without `to` allows every address: say which ones" }}{{ end -}}
{{- $_ := set $ours "networkPolicy.extraEgress" (concat (get $ours "networkPolicy.extraEgress" | default list) .to) -}}
{{- end -}}
{{- range $key, $peers := $ours -}}
{{- range $peers -}}
{{- with .ipBlock }}{{ include "sluicegate.requirePrivate" (dict "root" $ "cidr" .cidr "key" $key) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* RFC 1918, RFC 6598, link-local, loopback, and IPv6's unique local addresses. Context: root, cidr, key. */}}
{{- define "sluicegate.requirePrivate" -}}
{{- $private := list
  "^10\\.[0-9.]+/([89]|[12][0-9]|3[0-2])$"
  "^172\\.(1[6-9]|2[0-9]|3[01])\\.[0-9.]+/(1[2-9]|2[0-9]|3[0-2])$"
  "^192\\.168\\.[0-9.]+/(1[6-9]|2[0-9]|3[0-2])$"
  "^100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.[0-9.]+/(1[0-9]|2[0-9]|3[0-2])$"
  "^169\\.254\\.[0-9.]+/(1[6-9]|2[0-9]|3[0-2])$"
  "^127\\.[0-9.]+/([89]|[12][0-9]|3[0-2])$"
  "(?i)^f[cd][0-9a-f]{2}:[0-9a-f:]*/([89]|[1-9][0-9]|1[01][0-9]|12[0-8])$"
  "(?i)^fe80:[0-9a-f:]*/([1-9][0-9]|1[01][0-9]|12[0-8])$" -}}
{{- $cidr := .cidr -}}
{{- $found := list -}}
{{- range $private }}{{ if regexMatch . $cidr }}{{ $found = append $found . }}{{ end }}{{ end -}}
{{- if not (or $found .root.Values.networkPolicy.allowPublic) -}}
{{- fail (printf "%s: %s lies outside the private ranges, so images could leave your network: name private addresses, or set networkPolicy.allowPublic=true if you mean it" .key $cidr) -}}
{{- end -}}
{{- end -}}
