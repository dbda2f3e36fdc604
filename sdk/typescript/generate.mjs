// Writes src/schema.ts, src/types.ts and src/operations.ts from sdk/openapi.json and the names in sdk/names.json.
// With --check it writes nothing, and fails where they are not what it would write.

import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const here = new URL('./', import.meta.url);
const read = async (path) => JSON.parse(await readFile(new URL(path, here), 'utf8'));
const document = await read('../openapi.json');
const names = await read('../names.json');

const HEAD = '// Made from sdk/openapi.json by generate.mjs: do not edit.\n\n';
const WRAPPED = /^(Data|List)_/;
/** What callers never hold: refusals are errors. */
const UNSEEN = new Set(['Nothing', 'Refusal', 'RefusalDetail']);

/** The name that a schema has in the SDK: without what only the server needs to tell it from a type of its own. */
const typeName = (schema) => schema.replace(/Body$/, '');

/** Our name for what `$ref` points at. */
const refName = (ref) => typeName(ref.split('/').at(-1));

function comment(indent, ...paragraphs) {
  const lines = paragraphs.filter(Boolean).join('\n\n').split('\n');
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

/** A type as it stands in a query. */
function queryType(schema) {
  if (schema.enum) return schema.enum.map((word) => `'${word}'`).join(' | ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return `${queryType(schema.items)}[]`;
    case 'string':
      return 'string';
    default:
      throw new Error(`a query of the type ${JSON.stringify(schema.type)}`);
  }
}

/** What an operation answers with: how it is read, and as which type. */
function answer(operation) {
  const [status, response] = Object.entries(operation.responses).find(([status]) => status.startsWith('2'));
  if (status === '204') return { kind: 'nothing', type: 'void' };
  const [media, { schema }] = Object.entries(response.content)[0];
  if (media === 'application/octet-stream') return { kind: 'file', type: 'TaskFile' };
  if (media === 'text/event-stream') return { kind: 'stream' };
  const name = schema.$ref.split('/').at(-1);
  const target = document.components.schemas[name];
  if (target.properties.nextCursor) {
    const row = refName(target.properties.data.items.$ref ?? `/${name.replace(WRAPPED, '')}`);
    return { kind: 'pages', type: `Pages<types.${row}, Schemas['${name}']>` };
  }
  const inner = name.replace(/^Data_/, '');
  if (inner.startsWith('Vec_')) return { kind: 'json', type: `types.${typeName(inner.slice(4))}[]` };
  return { kind: 'json', type: `types.${typeName(inner)}` };
}

/** One method of a group. */
function method(name, verb, path, operation) {
  const { kind, type } = answer(operation);
  // A stream is more than one request: it is written by hand.
  if (kind === 'stream') return '';
  const parameters = operation.parameters ?? [];
  const args = parameters.filter((p) => p.in === 'path').map((p) => `${p.name}: ${queryType(p.schema)}`);
  const query = parameters.filter((p) => p.in === 'query' && !(kind === 'pages' && p.name === 'cursor'));
  const headers = new Set(parameters.filter((p) => p.in === 'header').map((p) => p.name));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => `\${segment(${name})}`);

  const bodyRef = operation.requestBody?.content['application/json'].schema.$ref;
  const bodySchema = bodyRef && document.components.schemas[bodyRef.split('/').at(-1)];
  const hasBody = bodySchema && Object.keys(bodySchema.properties ?? {}).length > 0;
  if (hasBody) {
    const fallback = bodySchema.required?.length ? '' : ' = {}';
    args.push(`body: types.${refName(bodyRef)}${fallback}`);
  }

  const base = ['RequestOptions'];
  if (headers.has('Idempotency-Key')) base.push('OnceOptions');
  if (headers.has('If-Match')) base.push('MatchOptions');
  const fields = query.map((p) => `${comment('    ', p.description)}    ${p.name}?: ${queryType(p.schema)};\n`);
  if (kind === 'pages') fields.push(`${comment('    ', 'The `nextCursor` of a page: begin after it.')}    cursor?: string;\n`);
  const own = fields.length ? ` & {\n${fields.join('')}  }` : '';
  args.push(`options: ${base.join(' & ')}${own} = {}`);

  const request = [`method: '${verb.toUpperCase()}'`, `path: \`${filled}\``];
  if (query.length) request.push(`query: { ${query.map((p) => `${p.name}: options.${p.name}`).join(', ')} }`);
  if (hasBody) request.push('body');
  if (headers.has('Idempotency-Key')) request.push('once: true');
  const call = `{ ${request.join(', ')} }, options`;
  const doc = comment('  ', operation.summary, operation.description);
  const result = kind === 'pages' ? type : `Promise<${type}>`;
  return `${doc}  ${name}(${args.join(', ')}): ${result} {\n    return this.transport.${kind}(${call});\n  }\n`;
}

function operations() {
  const groups = new Map();
  const unused = new Set(Object.keys(names));
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(item)) {
      const named = names[operation.operationId];
      if (!named) throw new Error(`${operation.operationId} has no name in sdk/names.json`);
      unused.delete(operation.operationId);
      const [group, name] = named.split('.');
      if (!groups.has(group)) groups.set(group, { tag: operation.tags[0], methods: [] });
      groups.get(group).methods.push(method(name, verb, path, operation));
    }
  }
  if (unused.size) throw new Error(`sdk/names.json names what is not in the document: ${[...unused].join(', ')}`);
  const about = new Map(document.tags.map((tag) => [tag.name, tag.description]));
  const classes = [...groups].map(([group, { tag, methods }]) => {
    const name = `${group[0].toUpperCase()}${group.slice(1)}Operations`;
    return (
      `${comment('', about.get(tag))}export class ${name} {\n` +
      `  constructor(protected readonly transport: Transport) {}\n\n${methods.filter(Boolean).join('\n')}}\n`
    );
  });
  return (
    HEAD +
    "import type { Pages } from './pages.js';\n" +
    "import type { components } from './schema.js';\n" +
    "import { segment } from './transport.js';\n" +
    "import type { MatchOptions, OnceOptions, RequestOptions, TaskFile, Transport } from './transport.js';\n" +
    "import type * as types from './types.js';\n\n" +
    "type Schemas = components['schemas'];\n\n" +
    classes.join('\n')
  );
}

function types() {
  const aliases = Object.entries(document.components.schemas)
    .filter(([name]) => !WRAPPED.test(name) && !UNSEEN.has(name))
    .map(([name, schema]) => `${comment('', schema.description)}export type ${typeName(name)} = Schemas['${name}'];\n`);
  return `${HEAD}import type { components } from './schema.js';\n\ntype Schemas = components['schemas'];\n\n${aliases.join('\n')}`;
}

/** The document without what operations.ts says already. */
function schemas() {
  const all = Object.entries(structuredClone(document.components.schemas));
  const ours = all.map(([name]) => name).filter((name) => !WRAPPED.test(name)).map(typeName);
  if (new Set(ours).size < ours.length) throw new Error('two schemas have one name without Body');
  const kept = all.filter(([name]) => !name.startsWith('Data_'));
  return { ...document, paths: {}, components: { schemas: Object.fromEntries(kept) } };
}

const schema = await openapiTS(schemas(), { emptyObjectsUnknown: true, alphabetize: true });
const files = {
  'src/schema.ts': HEAD + astToString(schema),
  'src/types.ts': types(),
  'src/operations.ts': operations(),
};
for (const [path, text] of Object.entries(files)) {
  const target = new URL(path, here);
  if (!process.argv.includes('--check')) {
    await writeFile(target, text);
  } else if ((await readFile(target, 'utf8')) !== text) {
    console.error(`sdk/typescript/${path} is not what sdk/openapi.json says: run scripts/generate-sdks`);
    process.exitCode = 1;
  }
}
