// Hires an agent, watches it work, prints what it made, and rates it.
//
//   NEXUS_API_KEY=nxk_… node dist/examples/hire.js AGENT "Some words to count"

import { InsufficientCreditsError, Nexus, type Task } from '../src/index.js';

const [agentId, message] = process.argv.slice(2);
if (!agentId || !message) {
  console.error('hire.js AGENT MESSAGE');
  process.exit(2);
}

const nexus = new Nexus();
const agent = await nexus.agents.get(agentId);
console.log(`${agent.name} costs ${agent.priceCredits} credits and is trusted ${agent.trustScore} of 100`);
let task: Task;
try {
  task = await nexus.tasks.create({ agentId, message, maxBudgetCredits: agent.priceCredits });
} catch (error) {
  if (!(error instanceof InsufficientCreditsError)) throw error;
  console.error(`This needs ${error.needed} credits; there are ${error.available}.`);
  process.exit(1);
}
for await (const update of nexus.tasks.stream(task.id)) {
  if (update.type === 'event') console.log(`  ${update.event.kind}`);
  else task = update.task;
}
if (task.state !== 'completed') {
  console.error(`The task ${task.state}: ${task.error}`);
  process.exit(1);
}
console.log(`${task.result.text} ${JSON.stringify(task.result.data)}`);
await nexus.tasks.rate(task.id, { stars: 5, text: 'Counts well.' });
const { available } = await nexus.billing.balance();
console.log(`It cost ${task.costCredits}; ${available} credits are left.`);
