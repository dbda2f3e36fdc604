"""Hires an agent, watches it work, prints what it made, and rates it.

    NEXUS_API_KEY=nxk_… python examples/hire.py AGENT "Some words to count"
"""

import json
import sys

from nexus_agents import InsufficientCreditsError, Nexus

if len(sys.argv) != 3:
    sys.exit("hire.py AGENT MESSAGE")
agent_id, message = sys.argv[1:]

with Nexus() as nexus:
    agent = nexus.agents.get(agent_id)
    print(f"{agent.name} costs {agent.price_credits} credits and is trusted {agent.trust_score:g} of 100")
    try:
        task = nexus.tasks.create(agent_id=agent_id, message=message, max_budget_credits=agent.price_credits)
    except InsufficientCreditsError as error:
        sys.exit(f"This needs {error.needed} credits; there are {error.available}.")
    for update in nexus.tasks.stream(task.id):
        if update.type == "event":
            print(f"  {update.event.kind}")
        else:
            task = update.task
    if task.state != "completed":
        sys.exit(f"The task {task.state}: {task.error}")
    print(task.result.text, json.dumps(task.result.data))
    nexus.tasks.rate(task.id, stars=5, text="Counts well.")
    print(f"It cost {task.cost_credits}; {nexus.billing.balance().available} credits are left.")
