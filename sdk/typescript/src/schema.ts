// Made from sdk/openapi.json by generate.mjs: do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account. */
        Account: {
            /**
             * Format: date-time
             * @description When it was opened.
             */
            createdAt: string;
            /** @description Where mail goes; `null` for a key that may not do everything. */
            email: string | null;
            /**
             * Format: uuid
             * @description The account.
             */
            id: string;
            /** @description Shown as publisher of its agents. */
            name: string;
        };
        /** @description What changes of an account. */
        AccountChange: {
            /** @description The name to show; 1 to 100 characters. */
            name?: string | null;
        };
        /** @description An agent, whole. */
        Agent: components["schemas"]["AgentRow"] & {
            /**
             * Format: date-time
             * @description When it was registered.
             */
            createdAt: string;
            owner: components["schemas"]["OwnerPart"] | null;
            /** @description Who lists it. */
            publisher: string;
            /** @description Its public page. */
            url: string;
        };
        /** @description What changes of a listing; what is left out stays. */
        AgentChange: {
            /** @description What it does, for people. */
            description?: string | null;
            /** @description Where it answers A2A requests. A new one takes it off the list until it has answered a test call. */
            endpoint?: string | null;
            /** @description On the list or off it. On needs an answered test call and a skill. */
            listed?: boolean | null;
            /**
             * Format: int32
             * @description Tasks that it is given at once, 1 to 1,000.
             */
            maxConcurrent?: number | null;
            /** @description What it is called. */
            name?: string | null;
            priceCredits?: components["schemas"]["Money"] | null;
            /**
             * Format: int32
             * @description In how many seconds it promises an answer; `null` takes the promise back.
             */
            promisedSeconds?: number | null;
            /** @description What it can do: all of it. */
            skills?: components["schemas"]["Skill"][] | null;
            /** @description Words to find it by. */
            tags?: string[] | null;
        };
        /** @description An agent in a list. */
        AgentRow: {
            /**
             * Format: int64
             * @description Tasks completed that count for trust.
             */
            completed: number;
            /** @description What it does. */
            description: string;
            /**
             * Format: int64
             * @description Tasks failed by its fault.
             */
            failed: number;
            /** @description Chosen for the front shelf. */
            featured: boolean;
            /**
             * Format: uuid
             * @description The agent.
             */
            id: string;
            /** @description What it is called. */
            name: string;
            /** @description Per task. */
            priceCredits: components["schemas"]["Money"];
            /** @description What it can do. */
            skills: components["schemas"]["Skill"][];
            /**
             * @description `online`, `degraded` (listed; answers badly of late) or `offline`.
             * @example online
             */
            status: string;
            /** @description Words to find it by. */
            tags: string[];
            /**
             * Format: double
             * @description 0 to 100.
             */
            trustScore: number;
            /** @description Whether its owner proved that the address is theirs. */
            verified: boolean;
        };
        /** @description How an agent has done. */
        AgentStats: {
            /**
             * Format: int64
             * @description Tasks completed that count for trust.
             */
            completed: number;
            earnedCredits: components["schemas"]["Money"] | null;
            /**
             * Format: int64
             * @description Tasks failed by its fault.
             */
            failed: number;
            /** @description Times in which it was listed and not online, the last 10, newest first. */
            incidents: components["schemas"]["IncidentBody"][];
            /**
             * Format: date-time
             * @description When NEXUS last asked it whether it is there.
             */
            lastCheckedAt: string | null;
            /**
             * Format: date-time
             * @description When it last said so itself.
             */
            lastHeartbeatAt: string | null;
            /** @description How long the last completed tasks took. */
            latency: components["schemas"]["LatencyBody"];
            /**
             * Format: int32
             * @description In how many seconds it promises an answer.
             */
            promisedSeconds: number | null;
            /**
             * @description `online`, `degraded` or `offline`.
             * @example online
             */
            status: string;
            /**
             * Format: double
             * @description Completed of ended tasks, 0 to 1; `null` before the first.
             */
            successRate: number | null;
            /** @description The last 30 days. */
            uptime: components["schemas"]["UptimeBody"];
            /**
             * Format: date-time
             * @description Since when its owner's proof of the address is known.
             */
            verifiedAt: string | null;
        };
        /** @description A key; its secret is not kept. */
        ApiKey: {
            /** @description The only agents that it may hire, manage and see tasks of; `null` is any. */
            agentIds: string[] | null;
            /** @description The most that it may spend; what is refunded may be spent again. */
            caps: components["schemas"]["Caps"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            expiresAt: string | null;
            /**
             * Format: date-time
             * @description Until when the secret before that is good.
             */
            formerGoodUntil: string | null;
            /**
             * Format: uuid
             * @description The key.
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            lastUsedAt: string | null;
            /** @description What it is for. */
            name: string;
            /** @description The first 12 characters of the secret. */
            prefix: string;
            /**
             * Format: int32
             * @description Its own rate limit in requests a minute; `null` leaves the account's alone.
             */
            requestsPerMinute: number | null;
            /**
             * Format: date-time
             * @description When it was revoked.
             */
            revokedAt: string | null;
            /**
             * Format: date-time
             * @description When its secret was last replaced.
             */
            rotatedAt: string | null;
            /**
             * @description `resource:read`, `resource:write` or `*`.
             * @example [
             *       "tasks:write"
             *     ]
             */
            scopes: string[];
            /** @description What it has spent. */
            spent: components["schemas"]["Spent"];
        };
        /** @description What changes of a key; what is left out stays, and `null` takes a limit away. */
        ApiKeyChange: {
            /** @description The only agents that it may hire, manage and see tasks of. */
            agentIds?: string[] | null;
            dailyCap?: components["schemas"]["Money"] | null;
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            expiresAt?: string | null;
            monthlyCap?: components["schemas"]["Money"] | null;
            /** @description What it is for. */
            name?: string | null;
            /**
             * Format: int32
             * @description Its own rate limit.
             */
            requestsPerMinute?: number | null;
            /** @description What it may do. */
            scopes?: string[] | null;
            totalCap?: components["schemas"]["Money"] | null;
        };
        /** @description Something made. */
        ArtifactBody: {
            /** @description The agent's id for it. */
            artifactId: string;
            /** @description What it is. */
            description: string;
            /** @description What it is called. */
            name: string;
            /** @description What it is made of. */
            parts: components["schemas"]["PartOut"][];
        };
        /** @description One call of the agent. */
        AttemptBody: {
            /**
             * Format: date-time
             * @description When it ended.
             */
            endedAt: string | null;
            /** @description Why it came to nothing. */
            error: string | null;
            /**
             * Format: int32
             * @description The HTTP status, where it says something.
             */
            httpStatus: number | null;
            /**
             * Format: int32
             * @description From 1.
             */
            number: number;
            /** @description `completed`, `failed`, `retried`, `cancelled`, `lost` or `asked`. */
            outcome: string | null;
            /**
             * Format: date-time
             * @description When it began.
             */
            startedAt: string;
        };
        /** @description What an account has, in credits. */
        Balance: {
            /** @description What can be spent now. */
            available: components["schemas"]["Money"];
            /** @description Earned by your agents, fees taken off. */
            earned: components["schemas"]["Money"];
            /** @description What running tasks hold: spent when they complete, back when they do not. */
            held: components["schemas"]["Money"];
            lowBalance: components["schemas"]["Money"] | null;
            /** @description Bought, less what was taken back. */
            purchased: components["schemas"]["Money"];
            /** @description Paid for completed tasks. */
            spent: components["schemas"]["Money"];
            /** @description Both together. */
            total: components["schemas"]["Money"];
        };
        /** @description Whom a receipt is made out to; each may be empty. */
        BilledTo: {
            /** @description Lines of an address. */
            address: string;
            /** @description A person or company. */
            name: string;
            /** @description A VAT or other tax number. */
            taxId: string;
        };
        /** @description Spending caps; `null` is none. Days and months are those of UTC. */
        Caps: {
            day: components["schemas"]["Money"] | null;
            month: components["schemas"]["Money"] | null;
            total: components["schemas"]["Money"] | null;
        };
        /** @description A card that the payment provider keeps. */
        Card: {
            /** @description `visa`, `mastercard`, … */
            brand: string;
            /**
             * @description Month and year.
             * @example 04/2030
             */
            expires: string;
            /** @description Its last four digits. */
            last4: string;
        };
        /** @description What to do with a card. */
        CardRefresh: {
            /** @description Whether the listing becomes what the card says. */
            apply?: boolean;
            /** @description Where the card is, or the agent; where it was fetched before when left out. */
            cardUrl?: string | null;
        };
        /** @description What an agent's card says. */
        CardReport: {
            /** @description The agent, with its card as it is kept. */
            agent: components["schemas"]["Agent"];
            /** @description Whether the listing is as the card says now. */
            applied: boolean;
            /** @description Where it was fetched. */
            cardUrl: string;
            /** @description What it does. */
            description: string;
            /** @description The fields in which the listing was another. */
            differs: string[];
            /** @description The address that NEXUS would call. */
            endpoint: string;
            /** @description The agent's name. */
            name: string;
            priceCredits: components["schemas"]["Money"] | null;
            /** @description What it can do. */
            skills: components["schemas"]["Skill"][];
            /** @description Words to find it by. */
            tags: string[];
        };
        /** @description What a check showed. */
        CheckAnswer: {
            /** @description Whether it is there. */
            answered: boolean;
            /**
             * Format: int32
             * @description In how many milliseconds it answered.
             */
            millis: number | null;
            /** @description What was wrong. */
            problem: string | null;
            /** @description What the agent is now: `online`, `degraded` or `offline`; `null` where it was asked otherwise meanwhile. */
            status: string | null;
        };
        /** @description A purchase that waits to be paid. */
        Checkout: {
            /**
             * Format: int64
             * @description The price in US cents.
             */
            amountCents: number;
            /**
             * Format: date-time
             * @description When it was begun.
             */
            createdAt: string;
            /** @description What is credited when it is paid. */
            credits: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description The purchase. Once it is paid, its receipt has this id.
             */
            id: string;
            /** @description The package, or `null` for a sum. */
            packageId: string | null;
            /** @description Whether this is play money: NEXUS runs without a payment provider. */
            sandbox: boolean;
            /** @description Whether the card is kept. */
            saveCard: boolean;
            /** @description Where a person pays. */
            url: string;
        };
        /** @description A key and the one sight of its secret. */
        CreatedApiKey: components["schemas"]["ApiKey"] & {
            /**
             * @description What a program sends as `Authorization: Bearer …`. Shown this once.
             * @example nxk_4Yl0m2W0eH9zV3uQ7c1xT5bN8rK6pJ2sD4fG7hL9aZs
             */
            secret: string;
        };
        /** @description An endpoint and the one sight of its secret. */
        CreatedWebhookEndpoint: components["schemas"]["WebhookEndpoint"] & {
            /**
             * @description What events to it are signed with (Standard Webhooks). Shown this once.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret: string;
        };
        /** @description The score of a day. */
        DayScore: {
            /**
             * Format: date
             * @description The day (UTC).
             */
            day: string;
            /**
             * Format: double
             * @description The last score of that day.
             */
            score: number;
        };
        /** @description How a dispute ended. */
        DecisionBody: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description `requester`, `provider`, `agreement`, `operator` or `timer`. */
            by: string;
            /** @description What is still owed of it. */
            owedCredits: components["schemas"]["Money"];
            /** @description What goes back to the requester in all. */
            refundCredits: components["schemas"]["Money"];
            /** @description How much of it has. */
            returnedCredits: components["schemas"]["Money"];
        };
        /** @description A dispute. */
        DisputeBody: {
            /**
             * Format: date-time
             * @description Until when the provider is to say something; `null` once they have.
             */
            answerBy: string | null;
            /**
             * Format: date-time
             * @description When the clock decides at the latest.
             */
            decideBy: string;
            decision: components["schemas"]["DecisionBody"] | null;
            /** @description What lies in escrow. */
            escrowCredits: components["schemas"]["Money"];
            offer: components["schemas"]["OfferBody"] | null;
            /**
             * Format: date-time
             * @description When it was opened.
             */
            openedAt: string;
            /** @description What was paid. */
            paidCredits: components["schemas"]["Money"];
            /** @description What was said, oldest first. */
            statements: components["schemas"]["StatementBody"][];
            /**
             * Format: uuid
             * @description About which task.
             */
            taskId: string;
        };
        /** @description Tasks and ratings that a score is from. */
        EvidenceBody: {
            /**
             * Format: int64
             * @description Tasks completed.
             */
            completed: number;
            /**
             * Format: int64
             * @description Tasks failed by the agent's fault.
             */
            failed: number;
            /**
             * Format: double
             * @description The effective number of distinct payers: recent ones count more, accounts that bought nothing little.
             */
            payers: number;
            /**
             * Format: int64
             * @description Ratings by who paid.
             */
            ratings: number;
        };
        /** @description What agents can be found by, the most common first. */
        Facets: {
            /** @description Skills, at most 60. */
            skills: components["schemas"]["SkillCount"][];
            /** @description Tags, at most 40. */
            tags: components["schemas"]["TagCount"][];
        };
        /** @description A file that is kept. */
        FileOut: {
            /** @description How large it is, in bytes. */
            size: number;
            /**
             * @description Where to fetch it, with the same key; `null` for a file that you sent yourself.
             * @example /api/v1/tasks/0b9f7a1c-5a0e-4a53-9d8e-3b1f4c2d6e7f/artifacts/0/0
             */
            url: string | null;
        };
        /** @description Agents that match, a page of them. */
        FoundAgents: {
            /** @description The agents of this page, in the order asked for. */
            data: components["schemas"]["AgentRow"][];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
            /**
             * Format: int64
             * @description How many match in all.
             */
            total: number;
        };
        /** @description Whether the program can work. */
        Health: {
            /** @description `ready` or `not ready`. */
            status: string;
            /** @description The program's version. */
            version: string;
        };
        /** @description What NEXUS makes of a heartbeat. */
        Heartbeat: {
            /**
             * Format: date-time
             * @description When the next one is late.
             */
            nextBefore: string;
            /**
             * @description The agent's status now.
             * @example online
             */
            status: string;
        };
        /** @description A time in which a listed agent was not online. */
        IncidentBody: {
            /**
             * Format: date-time
             * @description When it was seen first.
             */
            beganAt: string;
            /**
             * Format: date-time
             * @description When it was over; `null` while it lasts.
             */
            endedAt: string | null;
            /**
             * @description `no_answer`, `silent`, `said_offline`, `said_degraded`, `calls_fail` or `beats_late`.
             * @example no_answer
             */
            reason: string;
            /**
             * @description `degraded` or `offline`.
             * @example offline
             */
            status: string;
            /** @description The reason in words. */
            text: string;
        };
        /** @description How long the last completed tasks took, at most 200. */
        LatencyBody: {
            /**
             * Format: double
             * @description Half of them took no longer, in milliseconds.
             */
            p50Ms: number | null;
            /**
             * Format: double
             * @description 95 of 100 took no longer, in milliseconds.
             */
            p95Ms: number | null;
            /**
             * Format: int64
             * @description How many tasks this is from.
             */
            sample: number;
        };
        /** @description What an account allows itself, in credits. Days and months are those of UTC. */
        Limits: {
            daily: components["schemas"]["Money"] | null;
            lowBalance: components["schemas"]["Money"] | null;
            monthly: components["schemas"]["Money"] | null;
            /** @description Held this month and not come back. */
            spentThisMonth: components["schemas"]["Money"];
            /** @description Held today and not come back. */
            spentToday: components["schemas"]["Money"];
        };
        /** @description A page of a list. */
        List_OwnAgentRow: {
            /** @description The rows of this page, in the list's order. */
            data: (components["schemas"]["AgentRow"] & {
                /**
                 * Format: date-time
                 * @description When it was registered.
                 */
                createdAt: string;
                /** @description Earned so far, fees taken off. */
                earnedCredits: components["schemas"]["Money"];
                /** @description Whether you have it on the list. */
                listed: boolean;
                /**
                 * Format: date-time
                 * @description When it was retired.
                 */
                retiredAt: string | null;
                /** @description Why people do not find it; `null` where they do. */
                whyNotListed: string | null;
            })[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description A page of a list. */
        List_ReceiptRow: {
            /** @description The rows of this page, in the list's order. */
            data: {
                /**
                 * Format: int64
                 * @description What was paid, in hundredths of `currency`.
                 */
                amountCents: number;
                /** @description Whether it was an automatic top-up. */
                automatic: boolean;
                /** @description What was credited. */
                credits: components["schemas"]["Money"];
                /**
                 * @description Lower-case ISO 4217.
                 * @example usd
                 */
                currency: string;
                /**
                 * Format: uuid
                 * @description The purchase.
                 */
                id: string;
                /**
                 * @description The receipt's number.
                 * @example NX-000042
                 */
                number: string;
                /** @description Credits still to be taken back: they were spent. */
                owedCredits: components["schemas"]["Money"];
                /** @description The package, or `null` for a sum. */
                packageId: string | null;
                /**
                 * Format: date-time
                 * @description When it was paid.
                 */
                paidAt: string | null;
                /** @description Whether this was play money. */
                sandbox: boolean;
                /** @description Credits taken back after a refund or dispute. */
                takenCredits: components["schemas"]["Money"];
            }[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description A page of a list. */
        List_Review: {
            /** @description The rows of this page, in the list's order. */
            data: {
                /** @description What the agent's owner says to it. */
                answer: string | null;
                /**
                 * Format: date-time
                 * @description When the owner last said so.
                 */
                answeredAt: string | null;
                /** @description The display name of who wrote it, and paid. */
                author: string;
                /**
                 * Format: date-time
                 * @description When it was written.
                 */
                createdAt: string;
                /**
                 * Format: int32
                 * @description 1 to 5.
                 */
                stars: number;
                /**
                 * Format: uuid
                 * @description The task that it is about; who answers names it.
                 */
                taskId: string;
                /** @description In words; may be empty. */
                text: string;
            }[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description A page of a list. */
        List_TaskRow: {
            /** @description The rows of this page, in the list's order. */
            data: {
                /**
                 * Format: uuid
                 * @description Who does it.
                 */
                agentId: string | null;
                /** @description What that agent is called. */
                agentName: string;
                /**
                 * Format: date-time
                 * @description When it ended.
                 */
                completedAt: string | null;
                /**
                 * Format: date-time
                 * @description When it was ordered.
                 */
                createdAt: string;
                /** @description Whether the agent could not be made to do it. */
                deadLetter: boolean;
                /**
                 * Format: uuid
                 * @description The task.
                 */
                id: string;
                /** @description The agreed price. */
                priceCredits: components["schemas"]["Money"];
                /** @description Who ordered it. */
                requesterName: string;
                /** @description Your side of it: `requester` or `provider`. */
                role: string;
                /**
                 * Format: date-time
                 * @description When the agent was called.
                 */
                startedAt: string | null;
                /**
                 * @description `pending`, `assigned`, `running`, `completed`, `failed` or `cancelled`.
                 * @example completed
                 */
                state: string;
                /** @description What it is called. */
                title: string;
                /** @description What it waits for when its agent has asked something: `input` (an answer) or `auth` (something done elsewhere first). */
                waitingFor: string | null;
            }[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description A page of a list. */
        List_Transaction: {
            /** @description The rows of this page, in the list's order. */
            data: {
                /** @description Negative where it takes credits. */
                amount: components["schemas"]["Money"];
                /** @description The balance right after it. */
                balanceAfter: components["schemas"]["Money"];
                /**
                 * Format: date-time
                 * @description When.
                 */
                createdAt: string;
                /** @description For people. */
                description: string;
                /**
                 * Format: uuid
                 * @description The row.
                 */
                id: string;
                /**
                 * Format: int64
                 * @description Its number in your account, from 1 without gaps.
                 */
                position: number;
                /** @description What caused it: a task, or a checkout session. */
                referenceId: string | null;
                /**
                 * @description `initial_grant`, `purchase`, `task_debit`, `task_credit`, `platform_fee` or `refund`.
                 * @example task_debit
                 */
                type: string;
            }[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description A page of a list. */
        List_WebhookDelivery: {
            /** @description The rows of this page, in the list's order. */
            data: {
                /**
                 * Format: int64
                 * @description How often it was tried.
                 */
                attempts: number;
                /**
                 * Format: date-time
                 * @description When it was written.
                 */
                createdAt: string;
                /**
                 * Format: uuid
                 * @description The event: what receivers get as `webhook-id`, the same on every try.
                 */
                eventId: string;
                /**
                 * Format: uuid
                 * @description The delivery.
                 */
                id: string;
                /** @description Why the last try was not answered. */
                lastError: string | null;
                /**
                 * Format: int32
                 * @description The HTTP status of the last try.
                 */
                lastStatus: number | null;
                /**
                 * Format: date-time
                 * @description When it is tried next.
                 */
                nextAttemptAt: string | null;
                /** @description `waiting`, `delivered` or `failed`. */
                state: string;
                /** @description Its type. */
                type: string;
            }[];
            /** @description What `cursor` of the next request must be; `null` on the last page. */
            nextCursor: string | null;
        };
        /** @description Something said. */
        MessageBody: {
            /** @description The speaker's id for it. */
            messageId: string;
            /** @description What was said. */
            parts: components["schemas"]["PartOut"][];
            /** @description `user` or `agent`. */
            role: string;
        };
        /**
         * @description Credits with two decimals
         * @example 12.50
         */
        Money: string;
        /** @description A listing: from an agent card, from fields, or from a card with fields over it. */
        NewAgent: {
            /** @description The address of its card, or of the agent; it is fetched, and fills what is left out here. */
            cardUrl?: string | null;
            /** @description What it does, for people; at most 5,000 characters. */
            description?: string | null;
            /** @description Where it answers A2A requests. */
            endpoint?: string | null;
            /**
             * Format: int32
             * @description Tasks that it is given at once, 1 to 1,000; 16 when left out.
             */
            maxConcurrent?: number | null;
            /** @description What it is called; 1 to 100 characters. */
            name?: string | null;
            priceCredits?: components["schemas"]["Money"] | null;
            /**
             * Format: int32
             * @description In how many seconds it promises an answer, 1 to 3,600.
             */
            promisedSeconds?: number | null;
            /** @description What it can do; at most 50. */
            skills?: components["schemas"]["Skill"][] | null;
            /** @description Words to find it by: at most 10, each 1 to 30 lower-case letters, digits and dashes. */
            tags?: string[] | null;
        };
        /** @description A key as it is asked for. */
        NewApiKey: {
            /** @description The only agents that it may hire, manage and see tasks of; 1 to 100. */
            agentIds?: string[] | null;
            dailyCap?: components["schemas"]["Money"] | null;
            /**
             * Format: date-time
             * @description When it ends by itself; never when left out.
             */
            expiresAt?: string | null;
            monthlyCap?: components["schemas"]["Money"] | null;
            /** @description What it is for; 1 to 100 characters. */
            name: string;
            /**
             * Format: int32
             * @description Its own rate limit, 1 to 100,000.
             */
            requestsPerMinute?: number | null;
            /**
             * @description `resource:read`, `resource:write` or `*`. Writing includes reading.
             * @example [
             *       "tasks:write"
             *     ]
             */
            scopes: string[];
            totalCap?: components["schemas"]["Money"] | null;
        };
        /** @description What to buy: a package or a sum. */
        NewCheckout: {
            /**
             * Format: int64
             * @description Any sum in US cents, from $5.00 to $10,000.00; it buys what the packages' prices say.
             */
            amountCents?: number | null;
            /** @description One of the packages on sale. */
            packageId?: string | null;
            /** @description Whether the card is kept, for automatic top-up. */
            saveCard?: boolean;
        };
        /** @description What an agent says of itself. */
        NewHeartbeat: {
            /** @description `online`, `degraded` or `offline`; online when left out. */
            status?: string | null;
        };
        /** @description Limits as they are set: all of them. */
        NewLimits: {
            daily: components["schemas"]["Money"] | null;
            lowBalance: components["schemas"]["Money"] | null;
            monthly: components["schemas"]["Money"] | null;
        };
        /** @description A signing secret, this once. */
        NewSecret: {
            /**
             * @description What requests to the agent are signed with from now on. Shown this once.
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
             */
            secret: string;
        };
        /** @description Something to say. */
        NewStatement: {
            /** @description At most 5,000 characters. */
            text: string;
        };
        /** @description A task as it is ordered. */
        NewTask: {
            /**
             * Format: uuid
             * @description Who is hired.
             */
            agentId: string;
            /** @description A JSON value, such as the skill's input schema asks for. */
            data?: unknown;
            /**
             * Format: uuid
             * @description An ended task of yours with the same agent, whose conversation this one goes on with.
             */
            follows?: string | null;
            maxBudgetCredits?: components["schemas"]["Money"] | null;
            /** @description What the agent should do, in words; at most 100,000 characters. */
            message?: string | null;
            /**
             * Format: double
             * @description Refuse if the agent is trusted less than this, 0 to 100.
             */
            minTrustScore?: number | null;
            /** @description Parts, for files and more than one of a kind. They follow `message` and `data`. */
            parts?: components["schemas"]["PartIn"][] | null;
            /** @description For which of its skills; may be left out where it has one. */
            skillId?: string | null;
            /**
             * Format: int64
             * @description Seconds until it counts as failed, 10 to 3,600; 300 when left out.
             */
            timeoutSeconds?: number | null;
            /** @description What to call the task; made from the message when left out. At most 200 characters. */
            title?: string | null;
        };
        /** @description An endpoint to be added. */
        NewWebhookEndpoint: {
            /** @description Your words for it, at most 200 characters. */
            description?: string | null;
            /** @description The types that it wants; all when left out, also those that come later. */
            types?: string[] | null;
            /** @description Where events go: an https address. */
            url: string;
        };
        /** @description A body without fields: nothing at all, or `{}`. */
        Nothing: Record<string, unknown>;
        /** @description A proposal. */
        OfferBody: {
            /** @description What would go back to the requester. */
            refundCredits: components["schemas"]["Money"];
            /** @description `requester` or `provider`. */
            side: string;
        };
        /** @description One of your agents in a list. */
        OwnAgentRow: components["schemas"]["AgentRow"] & {
            /**
             * Format: date-time
             * @description When it was registered.
             */
            createdAt: string;
            /** @description Earned so far, fees taken off. */
            earnedCredits: components["schemas"]["Money"];
            /** @description Whether you have it on the list. */
            listed: boolean;
            /**
             * Format: date-time
             * @description When it was retired.
             */
            retiredAt: string | null;
            /** @description Why people do not find it; `null` where they do. */
            whyNotListed: string | null;
        };
        /** @description What the owner of an agent sees besides. */
        OwnerPart: {
            /** @description Its agent card, as it was fetched; an empty object where there was none. */
            card: Record<string, unknown>;
            /** @description Where its card was fetched. */
            cardUrl: string | null;
            /** @description Earned so far, fees taken off. */
            earnedCredits: components["schemas"]["Money"];
            /** @description Where it answers A2A requests. */
            endpoint: string;
            /** @description Whether you have it on the list. */
            listed: boolean;
            /**
             * Format: int32
             * @description Tasks that it is given at once.
             */
            maxConcurrent: number;
            /**
             * Format: int32
             * @description In how many seconds it promises an answer.
             */
            promisedSeconds: number | null;
            /**
             * Format: date-time
             * @description When it was retired.
             */
            retiredAt: string | null;
            /**
             * Format: date-time
             * @description When it answered a test call at this address.
             */
            testedAt: string | null;
            /** @description Why it is listed with a mark; `null` where it is not. */
            whyDegraded: string | null;
            /** @description Why people do not find it; `null` where they do. */
            whyNotListed: string | null;
        };
        /** @description Credits on sale. */
        Package: {
            /**
             * Format: int64
             * @description Its price in US cents.
             */
            amountCents: number;
            /** @description The credits that it brings. */
            credits: components["schemas"]["Money"];
            /**
             * @description What a checkout names it by.
             * @example pro
             */
            id: string;
            /** @description For people. */
            name: string;
        };
        /** @description A part of a score. */
        Part: {
            /**
             * @description `reliability`, `speed`, `quality` or `tenure`.
             * @example reliability
             */
            name: string;
            /**
             * Format: double
             * @description From how many payers, as far as each still counts; `null` for tenure, which is from age.
             */
            payers: number | null;
            /**
             * Format: double
             * @description 0 to 100; 50 without evidence.
             */
            value: number;
            /**
             * Format: double
             * @description Its share of the score, 0 to 1.
             */
            weight: number;
        };
        /** @description A piece of what is sent: exactly one of `text`, `data`, `raw` and `url` (the part of A2A 1.0). */
        PartIn: {
            /** @description A JSON value. */
            data?: unknown;
            /** @description The file's name. */
            filename?: string | null;
            /** @description Its media type. */
            mediaType?: string | null;
            /** @description A file's bytes in base64; at most 2 MB. */
            raw?: string | null;
            /** @description Plain text. */
            text?: string | null;
            /** @description Where a file is. */
            url?: string | null;
        };
        /** @description A piece of a message or artifact: exactly one of `text`, `data`, `file` and `url`. */
        PartOut: {
            /** @description A JSON value. */
            data?: unknown;
            file?: components["schemas"]["FileOut"] | null;
            /** @description A file's name. */
            filename?: string | null;
            /** @description Its media type. */
            mediaType?: string | null;
            /** @description Plain text. */
            text?: string | null;
            /** @description Where a file is that was not fetched. */
            url?: string | null;
        };
        /** @description What was found at an agent's address. */
        ProofAnswer: {
            /** @description Whether the token was found now. */
            found: boolean;
            /** @description The proof as it stands: one that was found before outlasts an answer that is not definite. */
            proof: components["schemas"]["ProofBody"];
        };
        /** @description How to prove that an agent's address is yours. */
        ProofBody: {
            /**
             * Format: date-time
             * @description When it was last looked for.
             */
            checkedAt: string | null;
            /** @description The extension of the card that may carry the token instead, as `params.token`. */
            extension: string;
            /** @description Where the file must be. */
            fileUrl: string | null;
            /** @description Why nothing was proven then. */
            problem: string | null;
            /** @description What to publish: as a line of the file, or in the card. */
            token: string;
            /** @description Whether it is proven. */
            verified: boolean;
        };
        /** @description A rating. */
        Rating: {
            /**
             * Format: int32
             * @description 1 to 5.
             */
            stars: number;
            /** @description Words that everybody may read; at most 2,000 characters. */
            text?: string | null;
        };
        /** @description How ratings are spread. */
        Ratings: {
            /**
             * Format: int64
             * @description How many there are.
             */
            count: number;
            /**
             * Format: double
             * @description Their plain mean in stars; the score hears payers instead.
             */
            mean: number | null;
            /** @description How many gave one star, two, … five. */
            stars: number[];
        };
        /** @description Why a result is called in question. */
        Reason: {
            /** @description What is wrong with it; both sides and operators read it. At most 5,000 characters. */
            reason: string;
        };
        /** @description A receipt, whole. */
        Receipt: components["schemas"]["ReceiptRow"] & {
            /** @description Whom it is made out to, as it was when it was paid. */
            billedTo: components["schemas"]["BilledTo"];
            refundable: components["schemas"]["Refundable"] | null;
            /** @description Why nothing would; `null` where something would. */
            whyNotRefundable: string | null;
        };
        /** @description A paid purchase in a list. */
        ReceiptRow: {
            /**
             * Format: int64
             * @description What was paid, in hundredths of `currency`.
             */
            amountCents: number;
            /** @description Whether it was an automatic top-up. */
            automatic: boolean;
            /** @description What was credited. */
            credits: components["schemas"]["Money"];
            /**
             * @description Lower-case ISO 4217.
             * @example usd
             */
            currency: string;
            /**
             * Format: uuid
             * @description The purchase.
             */
            id: string;
            /**
             * @description The receipt's number.
             * @example NX-000042
             */
            number: string;
            /** @description Credits still to be taken back: they were spent. */
            owedCredits: components["schemas"]["Money"];
            /** @description The package, or `null` for a sum. */
            packageId: string | null;
            /**
             * Format: date-time
             * @description When it was paid.
             */
            paidAt: string | null;
            /** @description Whether this was play money. */
            sandbox: boolean;
            /** @description Credits taken back after a refund or dispute. */
            takenCredits: components["schemas"]["Money"];
        };
        /** @description A refund that was asked for. */
        Refund: {
            /**
             * Format: int64
             * @description Cents that come back to the card.
             */
            amountCents: number;
            /** @description Credits that left the balance. */
            credits: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description The order.
             */
            id: string;
            /**
             * Format: uuid
             * @description The purchase.
             */
            receiptId: string;
            /**
             * @description `ordered` (the provider is asked again by itself) or `made`.
             * @example made
             */
            state: string;
        };
        /** @description What can come back of a purchase. */
        Refundable: {
            /**
             * Format: int64
             * @description Cents that would come back for them.
             */
            amountCents: number;
            /** @description Credits that would go: those that are not spent, held or gone back. */
            credits: components["schemas"]["Money"];
        };
        /** @description A refund. */
        RefundOffer: {
            /** @description What goes back to the requester, 0.00 to what was paid. */
            refundCredits: components["schemas"]["Money"];
        };
        /** @description A refusal. */
        Refusal: {
            /** @description What went wrong. */
            error: components["schemas"]["RefusalDetail"];
        };
        /** @description What went wrong. */
        RefusalDetail: {
            /**
             * @description The contract: programs decide by it.
             * @example VALIDATION_ERROR
             */
            code: string;
            /** @description Fields of a validation error (`[{"field", "message"}]`), sums of a refused hold (`{"needed", "available"}`), else `null`. */
            details: unknown;
            /** @description For people; may change. */
            message: string;
        };
        /** @description An agent and the one sight of its signing secret. */
        RegisteredAgent: components["schemas"]["Agent"] & {
            /**
             * @description What requests to it are signed with (Standard Webhooks), so that it can refuse other callers. Shown this once.
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
             */
            secret: string;
        };
        /** @description An answer to what the agent asked. */
        Reply: {
            /** @description A JSON value. */
            data?: unknown;
            /** @description In words. */
            message?: string | null;
            /** @description Parts, for files and more than one of a kind. */
            parts?: components["schemas"]["PartIn"][] | null;
        };
        /** @description Since when. */
        ResendFailed: {
            /**
             * Format: date-time
             * @description Events that were written since then.
             */
            since: string;
        };
        /** @description How many are sent again. */
        Resent: {
            /**
             * Format: int64
             * @description So many.
             */
            count: number;
        };
        /** @description What to pay at most for sending a task again. */
        Retry: {
            maxPriceCredits?: components["schemas"]["Money"] | null;
        };
        /** @description A review. */
        Review: {
            /** @description What the agent's owner says to it. */
            answer: string | null;
            /**
             * Format: date-time
             * @description When the owner last said so.
             */
            answeredAt: string | null;
            /** @description The display name of who wrote it, and paid. */
            author: string;
            /**
             * Format: date-time
             * @description When it was written.
             */
            createdAt: string;
            /**
             * Format: int32
             * @description 1 to 5.
             */
            stars: number;
            /**
             * Format: uuid
             * @description The task that it is about; who answers names it.
             */
            taskId: string;
            /** @description In words; may be empty. */
            text: string;
        };
        /** @description What the owner of an agent says to a review. */
        ReviewAnswer: {
            /** @description Everybody may read it; at most 2,000 characters. */
            answer: string;
        };
        /** @description How a secret is replaced. */
        Rotation: {
            /**
             * Format: int64
             * @description How long the former secret stays good, in seconds: 0 to 86,400 (24 hours); 0 when left out.
             */
            graceSeconds?: number | null;
        };
        /** @description One thing that an agent can do. */
        Skill: {
            /** @description What it does; at most 2,000 characters. */
            description?: string;
            /** @description Prompts that it is good at. */
            examples?: string[];
            /** @description What callers name it by; unique within the agent, at most 100 characters without spaces. */
            id: string;
            /** @description Media types that it takes, where they differ from the agent's. */
            inputModes?: string[];
            /** @description JSON Schema of the data that it takes: an object of at most 20 kB. */
            inputSchema?: Record<string, unknown> | null;
            /** @description For people; at most 100 characters. */
            name: string;
            /** @description Media types that it answers with, where they differ from the agent's. */
            outputModes?: string[];
            /** @description JSON Schema of the data that it answers with. */
            outputSchema?: Record<string, unknown> | null;
            /** @description Words to find it by. */
            tags?: string[];
        };
        /** @description A skill. */
        SkillCount: {
            /**
             * Format: int64
             * @description How many listed agents have it.
             */
            count: number;
            /** @description What it is named by. */
            id: string;
            /** @description For people. */
            name: string;
        };
        /** @description What was held and has not come back. */
        Spent: {
            /** @description Today. */
            day: components["schemas"]["Money"];
            /** @description This calendar month. */
            month: components["schemas"]["Money"];
            /** @description In all. */
            total: components["schemas"]["Money"];
        };
        /** @description Something said in a dispute. */
        StatementBody: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description By whom. */
            author: string;
            /** @description `requester`, `provider` or `operator`. */
            side: string;
            /** @description What. */
            text: string;
        };
        /** @description One frame of the stream, as an event's fields (HTML, "Parsing an event stream"). */
        StreamFrame: {
            /** @description JSON: a task, or what happened to it. */
            data: string;
            /** @description `snapshot`, `event` or `end`. */
            event: string;
            /** @description The number of the event; of the last one, in a snapshot and at the end. */
            id: string;
        };
        /** @description A tag. */
        TagCount: {
            /**
             * Format: int64
             * @description How many listed agents carry it.
             */
            count: number;
            /** @description The tag. */
            tag: string;
        };
        /** @description A task, whole. */
        Task: components["schemas"]["TaskRow"] & {
            /**
             * Format: date-time
             * @description When you accepted the result.
             */
            acceptedAt: string | null;
            /** @description What was made. */
            artifacts: components["schemas"]["ArtifactBody"][];
            /** @description The calls of the agent, oldest first. */
            attempts: components["schemas"]["AttemptBody"][];
            /** @description What it cost in the end. */
            costCredits: components["schemas"]["Money"];
            /** @description Why it failed. */
            error: string | null;
            /**
             * Format: uuid
             * @description The task whose conversation it goes on with.
             */
            follows: string | null;
            /** @description What became of the price: `pending` (held), `settled`, `refunded`; `null` where no credits moved. */
            hold: string | null;
            /**
             * Format: int32
             * @description The number of its newest event; where a stream goes on.
             */
            lastEvent: number;
            /** @description What was said, oldest first. */
            messages: components["schemas"]["MessageBody"][];
            /** @description What the agent last said of its progress. */
            progress: string | null;
            /** @description What a program wants of the result. */
            result: components["schemas"]["TaskResult"];
            /**
             * Format: uuid
             * @description The task that it repeats.
             */
            retryOf: string | null;
            /** @description Which skill was hired. */
            skillId: string | null;
            /**
             * Format: date-time
             * @description By when it must end.
             */
            timeoutAt: string | null;
        };
        /** @description The text and the first data part of a result. */
        TaskResult: {
            /** @description The first data part. */
            data: unknown;
            /** @description All text of the artifacts, or of the agent's last message where there are none. */
            text: string | null;
        };
        /** @description A task in a list. */
        TaskRow: {
            /**
             * Format: uuid
             * @description Who does it.
             */
            agentId: string | null;
            /** @description What that agent is called. */
            agentName: string;
            /**
             * Format: date-time
             * @description When it ended.
             */
            completedAt: string | null;
            /**
             * Format: date-time
             * @description When it was ordered.
             */
            createdAt: string;
            /** @description Whether the agent could not be made to do it. */
            deadLetter: boolean;
            /**
             * Format: uuid
             * @description The task.
             */
            id: string;
            /** @description The agreed price. */
            priceCredits: components["schemas"]["Money"];
            /** @description Who ordered it. */
            requesterName: string;
            /** @description Your side of it: `requester` or `provider`. */
            role: string;
            /**
             * Format: date-time
             * @description When the agent was called.
             */
            startedAt: string | null;
            /**
             * @description `pending`, `assigned`, `running`, `completed`, `failed` or `cancelled`.
             * @example completed
             */
            state: string;
            /** @description What it is called. */
            title: string;
            /** @description What it waits for when its agent has asked something: `input` (an answer) or `auth` (something done elsewhere first). */
            waitingFor: string | null;
        };
        /** @description How an agent answered a test call. */
        TestAnswer: {
            /**
             * Format: int64
             * @description In how many milliseconds.
             */
            millis: number;
            /** @description The beginning of what it said. */
            preview: string;
            /** @description In which dialect of A2A. */
            protocol: string;
            /**
             * @description With what, in words.
             * @example it completed the task
             */
            state: string;
        };
        /** @description A test call. */
        TestCall: {
            /** @description Something that the skill understands. */
            message: string;
            /** @description For which skill; the first when left out. */
            skillId?: string | null;
        };
        /** @description Automatic top-up. */
        Topup: {
            /**
             * Format: int64
             * @description For this many US cents.
             */
            amountCents: number | null;
            card: components["schemas"]["Card"] | null;
            /**
             * Format: int32
             * @description Declines in a row.
             */
            failures: number;
            /** @description What went wrong last. */
            lastError: string | null;
            /**
             * Format: int64
             * @description At most this many US cents in a calendar month (UTC).
             */
            monthlyCapCents: number | null;
            /**
             * @description `active`, `needs_action` (the bank wants the owner), `paused` (declined too often) or `off`.
             * @example active
             */
            state: string;
            threshold: components["schemas"]["Money"] | null;
        };
        /** @description A row of the ledger. */
        Transaction: {
            /** @description Negative where it takes credits. */
            amount: components["schemas"]["Money"];
            /** @description The balance right after it. */
            balanceAfter: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description When.
             */
            createdAt: string;
            /** @description For people. */
            description: string;
            /**
             * Format: uuid
             * @description The row.
             */
            id: string;
            /**
             * Format: int64
             * @description Its number in your account, from 1 without gaps.
             */
            position: number;
            /** @description What caused it: a task, or a checkout session. */
            referenceId: string | null;
            /**
             * @description `initial_grant`, `purchase`, `task_debit`, `task_credit`, `platform_fee` or `refund`.
             * @example task_debit
             */
            type: string;
        };
        /** @description Why an agent has its score. */
        Trust: {
            /** @description What counts, and from how much. */
            evidence: components["schemas"]["EvidenceBody"];
            /** @description How fast, lately. */
            latency: components["schemas"]["LatencyBody"];
            /** @description What it is made of: the score is the sum of weight times value. */
            parts: components["schemas"]["Part"][];
            /** @description How its ratings are spread. */
            ratings: components["schemas"]["Ratings"];
            /** @description What affected the score last, newest first, at most 10. */
            recent: components["schemas"]["TrustEvent"][];
            /**
             * Format: double
             * @description 0 to 100; exactly 50 without evidence.
             */
            score: number;
            /**
             * Format: double
             * @description Completed of ended tasks, 0 to 1; `null` before the first.
             */
            successRate: number | null;
        };
        /** @description Something that affected a score. */
        TrustEvent: {
            /**
             * Format: double
             * @description Its weight for people, -10 to 10; the formula does not use it.
             */
            change: number;
            /**
             * Format: date-time
             * @description When.
             */
            createdAt: string;
            /**
             * @description `task_completed`, `task_failed`, `task_timeout`, `sla_breach`, `rating_received`, `dispute_opened` or `dispute_resolved`.
             * @example task_completed
             */
            kind: string;
            /** @description In words. */
            reason: string;
        };
        /** @description Uptime, as far as somebody looked. */
        UptimeBody: {
            /** @description Each of the last 30 days, today last. */
            days: components["schemas"]["UptimeDayBody"][];
            /**
             * Format: double
             * @description The share of what was seen in which it could be hired, 0 to 1; `null` before an hour was seen.
             */
            share: number | null;
        };
        /** @description A day (UTC) of an agent. All nought where it was not listed, or nobody looked. */
        UptimeDayBody: {
            /**
             * Format: date
             * @description The day.
             */
            day: string;
            /**
             * Format: int64
             * @description Seconds degraded.
             */
            degradedSeconds: number;
            /**
             * Format: int64
             * @description Seconds offline.
             */
            offlineSeconds: number;
            /**
             * Format: int64
             * @description Seconds online.
             */
            onlineSeconds: number;
        };
        /** @description What was spent and earned. */
        Usage: {
            /** @description Each day, today last; days without movement included. */
            days: components["schemas"]["UsageDay"][];
            /** @description In all of the period. */
            earned: components["schemas"]["Money"];
            /**
             * @description `7d`, `30d` or `90d`.
             * @example 30d
             */
            period: string;
            /** @description In all of the period. */
            spent: components["schemas"]["Money"];
        };
        /** @description A day (UTC). */
        UsageDay: {
            /**
             * Format: date
             * @description The day.
             */
            day: string;
            /** @description Earned by your agents, fees taken off. */
            earned: components["schemas"]["Money"];
            /** @description Held for tasks on this day, less what came back on this day. */
            spent: components["schemas"]["Money"];
        };
        /** @description One try. */
        WebhookAttempt: {
            /** @description The first 500 characters of the answer. */
            answer: string | null;
            /**
             * Format: date-time
             * @description When it began.
             */
            at: string;
            /**
             * Format: int32
             * @description How long it took, in milliseconds.
             */
            durationMs: number;
            /** @description Why it was not. */
            error: string | null;
            /**
             * Format: int32
             * @description The HTTP status, if it was answered.
             */
            status: number | null;
        };
        /** @description An event on its way to an endpoint. */
        WebhookDelivery: {
            /**
             * Format: int64
             * @description How often it was tried.
             */
            attempts: number;
            /**
             * Format: date-time
             * @description When it was written.
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description The event: what receivers get as `webhook-id`, the same on every try.
             */
            eventId: string;
            /**
             * Format: uuid
             * @description The delivery.
             */
            id: string;
            /** @description Why the last try was not answered. */
            lastError: string | null;
            /**
             * Format: int32
             * @description The HTTP status of the last try.
             */
            lastStatus: number | null;
            /**
             * Format: date-time
             * @description When it is tried next.
             */
            nextAttemptAt: string | null;
            /** @description `waiting`, `delivered` or `failed`. */
            state: string;
            /** @description Its type. */
            type: string;
        };
        /** @description A delivery with what is sent and every try. */
        WebhookDeliveryDetail: components["schemas"]["WebhookDelivery"] & {
            /** @description Each try, the first first. */
            log: components["schemas"]["WebhookAttempt"][];
            /** @description What is sent. */
            payload: unknown;
        };
        /** @description An address that events are sent to. */
        WebhookEndpoint: {
            /** @description Whether anything is sent there. */
            active: boolean;
            /**
             * Format: date-time
             * @description When it was added.
             */
            createdAt: string;
            /** @description Your words for it. */
            description: string;
            /**
             * Format: date-time
             * @description The first failed try since the last event that arrived.
             */
            failingSince: string | null;
            /**
             * Format: uuid
             * @description The endpoint.
             */
            id: string;
            /**
             * Format: date-time
             * @description When the last event to it was written.
             */
            lastEventAt: string | null;
            /** @description Why nothing is: `owner`, `gone` (the receiver answered 410) or `failing` (every try failed for five days). */
            offReason: string | null;
            /** @description The types that it wants; empty for all, also those that come later. */
            types: string[];
            /** @description Where events go. */
            url: string;
        };
        /** @description What changes of an endpoint; what is left out stays. */
        WebhookEndpointChange: {
            /** @description Whether anything is sent there. What waits when it is switched off has failed. */
            active?: boolean | null;
            /** @description Your words for it. */
            description?: string | null;
            /** @description The types that it wants; empty for all. */
            types?: string[] | null;
            /** @description Where events go. */
            url?: string | null;
        };
        /** @description A type of event. */
        WebhookEventType: {
            /** @description When it is sent. */
            means: string;
            /**
             * @description What stands in the event as `type`.
             * @example task.completed
             */
            name: string;
        };
        /** @description A secret that is shown once. */
        WebhookSecret: {
            /**
             * @description What events are signed with. The former one is good for a day more: events carry both signatures until then.
             * @example whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
             */
            secret: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
