{{/* What all pods have in common: who they are, what they may not do, and where they go. */}}

{{/* Context: root, component. 10001 is the image's user; Ollama's image runs as any. */}}
{{- define "sluicegate.identity" -}}
serviceAccountName: {{ include "sluicegate.serviceAccountOf" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with concat .root.Values.imagePullSecrets (.root.Values.global.imagePullSecrets | default list) }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "sluicegate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Context: the values of one component. */}}
{{- define "sluicegate.placement" -}}
{{- with .runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Context: root, component, constraints. */}}
{{- define "sluicegate.spread" -}}
topologySpreadConstraints:
{{- if .constraints }}
  {{- toYaml .constraints | nindent 2 }}
{{- else }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "sluicegate.selectorLabels" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A volume that only one node can mount is to be had on the node of the pods that use it; nothing to be said where
the volume can be mounted on many. Context: root, component (whose pods), modes. */}}
{{- define "sluicegate.besides" -}}
{{- if not (or (has "ReadWriteMany" .modes) (has "ReadOnlyMany" .modes)) }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "sluicegate.selectorLabels" . | nindent 12 }}
{{- end }}
{{- end -}}

{{/* Context: resources as given, gpu (enabled, resource, count). */}}
{{- define "sluicegate.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- if .gpu.enabled -}}
{{- $limits := set (default (dict) $resources.limits) .gpu.resource (int .gpu.count) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Context: the probes of one service. */}}
{{- define "sluicegate.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  {{- toYaml .startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  {{- toYaml .liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  {{- toYaml .readiness | nindent 2 }}
{{- end -}}
