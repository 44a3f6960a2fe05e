// Keep the verdict that holds for each upload: java -cp "$KAFKA_HOME/libs/*" Subscribe.java BOOTSTRAP_SERVERS [TOPIC]

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Subscribe {
    private static final Map<String, JsonNode> HOLDING = new HashMap<>();

    /** Whether an image was approved: this very image, not another one under the same id. */
    static boolean mayBeShown(String uploadId, String sha256) {
        JsonNode verdict = HOLDING.get(uploadId);
        return verdict != null
            && verdict.get("decision").asText().equals("approved")
            && verdict.at("/image/sha256").asText().equals(sha256);
    }

    /** The latest upload's verdict holds, then the highest revision; of copies the first one counts. */
    static boolean supersedes(JsonNode verdict, JsonNode current) {
        if (current == null) {
            return true;
        }
        int later = uploadedAt(verdict).compareTo(uploadedAt(current));
        return later > 0 || later == 0 && verdict.get("revision").asInt() > current.get("revision").asInt();
    }

    private static java.time.Instant uploadedAt(JsonNode verdict) {
        return OffsetDateTime.parse(verdict.get("uploaded_at").asText()).toInstant();
    }

    private static void receive(ConsumerRecord<String, byte[]> record) throws Exception {
        String uploadId = record.key();
        if (record.value() == null) {
            HOLDING.remove(uploadId);
            System.out.println(uploadId + " erased");
            return;
        }
        JsonNode verdict = new ObjectMapper().readTree(record.value()); // schemas/json/verdict.v1.json
        if (supersedes(verdict, HOLDING.get(uploadId))) {
            HOLDING.put(uploadId, verdict);
            System.out.printf("%s %s %s%n",
                uploadId, verdict.get("decision").asText(), verdict.at("/image/sha256").asText());
        }
    }

    public static void main(String[] arguments) throws Exception {
        String topic = arguments.length > 1 ? arguments[1] : "sluicegate.verdicts";
        Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0]);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            // Without a group: every instance reads the whole compacted topic, and so knows every upload.
            consumer.assign(consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition())).toList());
            consumer.seekToBeginning(consumer.assignment());
            while (true) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    receive(record);
                }
            }
        }
    }
}
