// Verifies messages with the reference library of the Standard Webhooks specification: reads one JSON object from stdin,
// `secret`, `headers` and `body`, and prints `true` or `false`.

import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
let good = true;
try {
  new Webhook(secret).verify(body, headers);
} catch {
  good = false;
}
console.log(good);
