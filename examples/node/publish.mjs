// Publish an upload by reference: node publish.mjs BOOTSTRAP_SERVERS UPLOAD_ID URI [TOPIC]

import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";

const [bootstrapServers, uploadId, uri, topic = "sluicegate.uploads"] = process.argv.slice(2);
const kafka = new Kafka({ brokers: bootstrapServers.split(","), logLevel: logLevel.ERROR });

const uploadedAt = new Date().toISOString();
// schemas/json/upload.v1.json
const upload = { upload_id: uploadId, surface: "listing", uploaded_at: uploadedAt, image: { uri } };

const producer = kafka.producer({ idempotent: true });
await producer.connect();
await producer.send({
  topic,
  acks: -1,
  messages: [
    {
      key: uploadId,
      value: JSON.stringify(upload),
      // CloudEvents 1.0, binary mode. Without these headers the record would be read as well.
      headers: {
        ce_specversion: "1.0",
        ce_type: "sluicegate.upload.v1",
        ce_source: "//example.com/shop",
        ce_id: randomUUID(),
        ce_time: uploadedAt,
        "content-type": "application/json",
      },
    },
  ],
});
await producer.disconnect();
console.log(`published ${uploadId}`);
