import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SignatureError, sign, verifySignature, verifyWebhook } from '../src/index.js';

// The example of the specification's reference libraries.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"test": 2432232314}';
const NOW = 1_614_265_330_000;
const HEADERS = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test('the example of the specification is accepted, however the headers come', () => {
  const shouted = Object.fromEntries(Object.entries(HEADERS).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const headers of [HEADERS, new Headers(HEADERS), shouted]) {
    verifySignature(SECRET, headers, BODY, { now: NOW });
    verifySignature(SECRET, headers, Buffer.from(BODY), { now: NOW + 300_000 });
  }
  const event = verifyWebhook(SECRET, HEADERS, BODY, { now: NOW });
  assert.equal(event.id, HEADERS['webhook-id']);
});

test('one of several secrets, one of several signatures', () => {
  const rotating = { ...HEADERS, 'webhook-signature': `v1,AAAA v2,x ${HEADERS['webhook-signature']}` };
  verifySignature(['whsec_AAAA', SECRET], rotating, BODY, { now: NOW });
});

test('what we sign is what we accept', () => {
  assert.deepEqual(sign(SECRET, HEADERS['webhook-id'], NOW / 1000, BODY), HEADERS);
});

test('nothing near it is accepted', () => {
  const refused = (headers: Record<string, string>, body = BODY, now = NOW, secret = SECRET) =>
    assert.throws(() => verifySignature(secret, headers, body, { now }), SignatureError);
  refused(HEADERS, '{}');
  refused(HEADERS, BODY, NOW + 301_000);
  refused(HEADERS, BODY, NOW - 301_000);
  refused(HEADERS, BODY, NOW, 'whsec_AAAA');
  refused({ ...HEADERS, 'webhook-id': 'other' });
  refused({ ...HEADERS, 'webhook-timestamp': '1614265331' });
  refused({ ...HEADERS, 'webhook-timestamp': 'now' });
  refused({ ...HEADERS, 'webhook-timestamp': '' });
  for (const signature of ['', 'v1,', 'v1', 'v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', HEADERS['webhook-signature'].slice(3)]) {
    refused({ ...HEADERS, 'webhook-signature': signature });
  }
  for (const secret of ['', 'whsec_', 'whsec_%%%', SECRET.slice(6)]) {
    assert.throws(() => verifySignature(secret, HEADERS, BODY, { now: NOW }), TypeError);
  }
  assert.throws(() => verifySignature([], HEADERS, BODY, { now: NOW }), SignatureError);
});
