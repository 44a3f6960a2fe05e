{{/* Where traffic may go, as NetworkPolicies say it: worked out from the hosts that the values name. */}}

{{/* One entry of a rule's `to`. A host in the cluster may be written as NAME (this namespace) or NAME.NAMESPACE.svc;
an address stands for itself. For any other host nobody can know where it is. Context: root, host, key (what names it),
where (what to set). */}}
{{- define "sluicegate.peer" -}}
{{- if regexMatch "^\\d+\\.\\d+\\.\\d+\\.\\d+$" .host -}}
{{- include "sluicegate.requirePrivate" (dict "root" .root "cidr" (printf "%s/32" .host) "key" .key) -}}
- ipBlock: {cidr: {{ .host }}/32}
{{- else if contains ":" .host -}}
{{- include "sluicegate.requirePrivate" (dict "root" .root "cidr" (printf "%s/128" .host) "key" .key) -}}
- ipBlock: {cidr: "{{ .host }}/128"}
{{- else if not (contains "." .host) -}}
- podSelector: {}
{{- else if regexMatch "\\.[a-z0-9-]+\\.svc(\\.|$)" .host -}}
- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ regexReplaceAll "^.*\\.([a-z0-9-]+)\\.svc(\\..*)?$" .host "${1}" }}}}
{{- else -}}
{{- fail (printf "%s: where %q is cannot be told from its name: write NAME.NAMESPACE.svc if it is in the cluster, or say where it is in %s.to, or set networkPolicy.enabled=false" .key .host .where) -}}
{{- end -}}
{{- end -}}

{{/* Context: a URL or host:port. */}}
{{- define "sluicegate.host" -}}
{{- $netloc := (urlParse (ternary . (printf "//%s" .) (contains "://" .))).host -}}
{{- regexReplaceAll "^\\[?(.*?)\\]?(:\\d+)?$" $netloc "${1}" -}}
{{- end -}}

{{- define "sluicegate.port" -}}
{{- $url := urlParse (ternary . (printf "//%s" .) (contains "://" .)) -}}
{{- $port := regexFind ":\\d+$" $url.host | trimPrefix ":" -}}
{{- default (ternary "80" "443" (eq $url.scheme "http")) $port -}}
{{- end -}}

{{/* A rule for each address. Context: root, addresses (URLs or host:port), to (an operator's own, goes before), ports
(further ones), key and where (what to set, for messages). */}}
{{- define "sluicegate.egress" -}}
{{- if .to }}
- to:
    {{- toYaml .to | nindent 4 }}
  ports:
    {{- $ports := list }}
    {{- range .ports }}{{ $ports = append $ports (int .) }}{{ end }}
    {{- range .addresses }}{{ $ports = append $ports (include "sluicegate.port" . | int) }}{{ end }}
    {{- range $ports | uniq }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- else }}
{{- range .addresses | uniq }}
- to:
    {{- include "sluicegate.peer" (dict "root" $.root "host" (include "sluicegate.host" .) "key" $.key "where" $.where) | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ include "sluicegate.port" . }}}
    {{- range $.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluicegate.egress.dns" -}}
{{- $dns := .Values.networkPolicy.dns -}}
- to:
    {{- toYaml $dns.to | nindent 4 }}
    {{- range $dns.nodeLocalCIDRs }}
    - ipBlock: {cidr: {{ quote . }}}
    {{- end }}
  ports:
    {{- range $dns.ports }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}

{{- define "sluicegate.egress.kafka" -}}
{{- $peers := .Values.networkPolicy.kafka -}}
{{- include "sluicegate.egress" (dict "root" . "addresses" .Values.kafka.bootstrapServers "to" $peers.to "ports" $peers.ports "key" "kafka.bootstrapServers" "where" "networkPolicy.kafka") -}}
{{- end -}}

{{/* Buckets are named without a host: their store is the endpoint, or a provider that the operator must place. */}}
{{- define "sluicegate.egress.store" -}}
{{- $store := .Values.objectStore -}}
{{- $peers := .Values.networkPolicy.objectStore -}}
{{- $addresses := list -}}
{{- range $store.allowedUriPrefixes -}}
{{- if hasPrefix "http" . }}{{ $addresses = append $addresses (regexFind "^https?://[^/]+" .) }}
{{- else if $store.endpoint }}{{ $addresses = append $addresses $store.endpoint }}
{{- else if not $peers.to }}
{{- fail (printf "objectStore.allowedUriPrefixes: the store of %q is at its provider's public address: say where that is in networkPolicy.objectStore.to, or name a store in the cluster in objectStore.endpoint" .) }}
{{- end -}}
{{- end -}}
{{- if $store.allowedUriPrefixes -}}
{{- include "sluicegate.egress" (dict "root" . "addresses" $addresses "to" $peers.to "ports" (ternary $peers.ports (list) (gt (len $peers.to) 0)) "key" "objectStore" "where" "networkPolicy.objectStore") -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.egress.ollama" -}}
{{- if .Values.ollama.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "sluicegate.selectorLabels" (dict "root" . "component" "ollama") | nindent 10 }}
  ports:
    - {protocol: TCP, port: 11434}
{{- else }}
{{- include "sluicegate.egress" (dict "root" . "addresses" .Values.ollama.urls "to" .Values.networkPolicy.ollama.to "ports" list "key" "ollama.urls" "where" "networkPolicy.ollama") -}}
{{- end }}
{{- end -}}

{{- define "sluicegate.egress.collector" -}}
{{- with .Values.tracing.endpoint }}
{{- include "sluicegate.egress" (dict "root" $ "addresses" (list .) "to" $.Values.networkPolicy.collector.to "ports" list "key" "tracing.endpoint" "where" "networkPolicy.collector") -}}
{{- end }}
{{- end -}}

{{- define "sluicegate.egress.pull" -}}
{{- $pull := .Values.networkPolicy.pull -}}
- to:
    {{- toYaml $pull.to | nindent 4 }}
  ports:
    {{- range $pull.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}

{{- define "sluicegate.egress.extra" -}}
{{- with .Values.networkPolicy.extraEgress }}
{{- toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluicegate.ingress.metrics" -}}
{{- with .Values.networkPolicy.monitoring.from }}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - {protocol: TCP, port: metrics}
{{- end }}
{{- end -}}

{{- define "sluicegate.ingress.questions" -}}
- from:
    {{- range list "worker" "test" }}
    - podSelector:
        matchLabels:
          {{- include "sluicegate.selectorLabels" (dict "root" $ "component" .) | nindent 10 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: http}
{{- end -}}
