// Publish an upload by reference: java -cp "$KAFKA_HOME/libs/*" Publish.java BOOTSTRAP_SERVERS UPLOAD_ID URI [TOPIC]

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Publish {
    public static void main(String[] arguments) throws Exception {
        String uploadId = arguments[1];
        String topic = arguments.length > 3 ? arguments[3] : "sluicegate.uploads";
        String uploadedAt = Instant.now().toString();
        // schemas/json/upload.v1.json
        Map<String, Object> upload = Map.of(
            "upload_id", uploadId,
            "surface", "listing",
            "uploaded_at", uploadedAt,
            "image", Map.of("uri", arguments[2]));
        var record = new ProducerRecord<>(topic, uploadId, new ObjectMapper().writeValueAsBytes(upload));
        // CloudEvents 1.0, binary mode. Without these headers the record would be read as well.
        Map.of(
            "ce_specversion", "1.0",
            "ce_type", "sluicegate.upload.v1",
            "ce_source", "//example.com/shop",
            "ce_id", UUID.randomUUID().toString(),
            "ce_time", uploadedAt,
            "content-type", "application/json"
        ).forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));

        Map<String, Object> settings = Map.of(
            "bootstrap.servers", arguments[0], "acks", "all", "enable.idempotence", true);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(record).get(); // returns once the broker has acknowledged
        }
        System.out.println("published " + uploadId);
    }
}
