// Keep the verdict that holds for each upload: node subscribe.mjs BOOTSTRAP_SERVERS [TOPIC]

import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";

const [bootstrapServers, topic = "sluicegate.verdicts"] = process.argv.slice(2);
const kafka = new Kafka({ brokers: bootstrapServers.split(","), logLevel: logLevel.ERROR });

const holding = new Map();

// Of several verdicts for one upload id the latest upload's holds, then the highest revision; the first copy counts.
// Times are compared as instants: RFC 3339 allows more than one way to write the same. Beyond milliseconds, which is
// all that Date knows, the text decides.
function supersedes(verdict, current) {
  if (current === undefined) return true;
  const [later, held] = [verdict.uploaded_at, current.uploaded_at];
  const difference = Date.parse(later) - Date.parse(held) || (later > held) - (later < held);
  return difference > 0 || (difference === 0 && verdict.revision > current.revision);
}

// Whether an image was approved: this very image, not another one under the same id.
export function mayBeShown(uploadId, sha256) {
  const verdict = holding.get(uploadId);
  return verdict?.decision === "approved" && verdict.image.sha256 === sha256;
}

// A group of its own: every instance reads the whole compacted topic, and so knows every upload.
const consumer = kafka.consumer({ groupId: `example-${randomUUID()}` });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    const uploadId = message.key.toString();
    if (message.value === null) {
      holding.delete(uploadId);
      console.log(`${uploadId} erased`);
      return;
    }
    const verdict = JSON.parse(message.value.toString()); // schemas/json/verdict.v1.json
    if (supersedes(verdict, holding.get(uploadId))) {
      holding.set(uploadId, verdict);
      console.log(`${uploadId} ${verdict.decision} ${verdict.image.sha256}`);
    }
  },
});
