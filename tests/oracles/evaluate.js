// stdin: {"expressions": {name: FHIRPath}, "resources": [...]}; stdout: for each resource {name: [values]}.
// %resource is the resource itself.
const fhirpath = require('fhirpath');
const r4 = require('fhirpath/fhir-context/r4');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const compiled = Object.entries(asked.expressions).map(([name, expression]) => [name, fhirpath.compile(expression, r4)]);
const told = asked.resources.map(resource =>
  Object.fromEntries(compiled.map(([name, evaluate]) => [name, evaluate(resource, { resource })])));
process.stdout.write(JSON.stringify(told));
