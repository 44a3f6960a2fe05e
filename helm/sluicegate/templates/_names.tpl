{{/* Names, labels and images. Contexts: the root, or a dict of `root` and `component`. */}}

{{/* Short enough that the longest suffix still makes a name of 63 characters. */}}
{{- define "sluicegate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sluicegate.componentName" -}}
{{- printf "%s-%s" (include "sluicegate.fullname" .root) .component -}}
{{- end -}}

{{/* What never changes in the life of a release: selectors are immutable. */}}
{{- define "sluicegate.releaseLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sluicegate.selectorLabels" -}}
{{ include "sluicegate.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "sluicegate.labels" -}}
{{ include "sluicegate.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: sluicegate
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Pods carry no chart version: a new chart that changes nothing in them restarts nothing. */}}
{{- define "sluicegate.podLabels" -}}
{{ include "sluicegate.selectorLabels" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of the pods that fetch images: a cloud's workload identity may be bound to it. Context: root. */}}
{{- define "sluicegate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sluicegate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The others, some of which reach the internet, are to have no identity that may read images. An account of the
operator's is everybody's: what it may is not for us to know. Context: root, component. */}}
{{- define "sluicegate.serviceAccountOf" -}}
{{- if or (has .component (list "consumer" "worker" "test")) (not .root.Values.serviceAccount.create) -}}
{{- include "sluicegate.serviceAccountName" .root -}}
{{- else -}}
{{- printf "%s-no-images" (include "sluicegate.fullname" .root) -}}
{{- end -}}
{{- end -}}

{{/* Context: root, variant (cpu or cuda). */}}
{{- define "sluicegate.image" -}}
{{- $image := .root.Values.image -}}
{{- $digest := ternary $image.cudaDigest $image.digest (eq .variant "cuda") -}}
{{- $tag := printf "%s-%s" (default .root.Chart.AppVersion $image.tag) .variant -}}
{{- include "sluicegate.reference" (dict "root" .root "image" $image "tag" $tag "digest" $digest) -}}
{{- end -}}

{{- define "sluicegate.ollamaImage" -}}
{{- $image := .Values.ollama.image -}}
{{- include "sluicegate.reference" (dict "root" . "image" $image "tag" $image.tag "digest" $image.digest) -}}
{{- end -}}

{{- define "sluicegate.reference" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry -}}
{{- $path := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne $registry "") -}}
{{- ternary (printf "%s@%s" $path .digest) (printf "%s:%s" $path .tag) (ne .digest "") -}}
{{- end -}}
