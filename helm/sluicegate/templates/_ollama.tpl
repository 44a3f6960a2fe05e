{{/* Ollama: servers that only answer, and the Job that fills their volume, apart, since whoever pulls needs a way out. */}}

{{- define "sluicegate.ollamaClaim" -}}
{{- default (printf "%s-ollama" (include "sluicegate.fullname" .)) .Values.ollama.persistence.existingClaim -}}
{{- end -}}

{{- define "sluicegate.ollamaEnv" -}}
- {name: HOME, value: /home/ollama}
- {name: OLLAMA_MODELS, value: /models}
- {name: OLLAMA_HOST, value: "{{ .host }}:11434"}
# No model of Ollama's cloud: it would be sent the images.
- {name: OLLAMA_NO_CLOUD, value: "1"}
- {name: OLLAMA_NOPRUNE, value: "1"}
{{- end -}}

{{- define "sluicegate.ollamaPod" -}}
{{- $ollama := .root.Values.ollama -}}
{{- include "sluicegate.identity" . }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- include "sluicegate.placement" $ollama }}
containers:
  - name: ollama
    image: {{ include "sluicegate.ollamaImage" .root | quote }}
    imagePullPolicy: {{ $ollama.image.pullPolicy }}
    args: [serve]
    ports:
      - {name: http, containerPort: 11434}
    env:
      {{- include "sluicegate.ollamaEnv" (dict "host" "0.0.0.0") | nindent 6 }}
      - {name: OLLAMA_KEEP_ALIVE, value: "-1"}
      - {name: OLLAMA_NUM_PARALLEL, value: "1"}
      - {name: OLLAMA_MAX_LOADED_MODELS, value: "1"}
      {{- with $ollama.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    resources:
      {{- include "sluicegate.resources" $ollama | nindent 6 }}
    securityContext:
      {{- include "sluicegate.containerSecurity" . | nindent 6 }}
    livenessProbe:
      httpGet: {path: /api/version, port: http}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    # Ready is who has the model.
    readinessProbe:
      exec: {command: [ollama, show, {{ quote $ollama.model }}]}
      periodSeconds: 15
      timeoutSeconds: 10
      failureThreshold: 2
    volumeMounts:
      - {name: home, mountPath: /home/ollama}
      - {name: tmp, mountPath: /tmp}
      - {name: models, mountPath: /models, readOnly: true}
volumes:
  - {name: home, emptyDir: {sizeLimit: 256Mi}}
  - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
  - {name: models, persistentVolumeClaim: {claimName: {{ include "sluicegate.ollamaClaim" .root }}}}
{{- end -}}

{{/* `ollama pull` only asks a server to pull: one of its own, on loopback. */}}
{{- define "sluicegate.ollamaPullPod" -}}
{{- $ollama := .root.Values.ollama -}}
{{- include "sluicegate.identity" . }}
restartPolicy: OnFailure
{{- include "sluicegate.placement" (pick $ollama "nodeSelector" "tolerations") }}
{{- include "sluicegate.besides" (dict "root" .root "component" "ollama" "modes" $ollama.persistence.accessModes) }}
containers:
  - name: pull
    image: {{ include "sluicegate.ollamaImage" .root | quote }}
    imagePullPolicy: {{ $ollama.image.pullPolicy }}
    command: [sh, -euc]
    args:
      - |
        ollama serve &
        until ollama list; do sleep 1; done
        ollama pull "$MODEL"
    env:
      {{- include "sluicegate.ollamaEnv" (dict "host" "127.0.0.1") | nindent 6 }}
      - {name: MODEL, value: {{ quote $ollama.model }}}
    resources:
      {{- toYaml $ollama.pull.resources | nindent 6 }}
    securityContext:
      {{- include "sluicegate.containerSecurity" . | nindent 6 }}
    volumeMounts:
      - {name: home, mountPath: /home/ollama}
      - {name: tmp, mountPath: /tmp}
      - {name: models, mountPath: /models}
volumes:
  - {name: home, emptyDir: {sizeLimit: 256Mi}}
  - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
  - {name: models, persistentVolumeClaim: {claimName: {{ include "sluicegate.ollamaClaim" .root }}}}
{{- end -}}
