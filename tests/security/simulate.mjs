// Evaluates requests against policies, unchanged and with one policy at a time replaced by a mutant.
//
// stdin:  {documents: {name: policy}, requests: [Request], mutants: [{document: name, policy, actions: [pattern]}]}
//         A mutant is about requests with these actions: those of the statement that has changed.
//         Request: {principal, action, resource, account, context, identity: [name], boundary: [name],
//                   endpoint: [name], resourcePolicy: name | null, rename: {key: key}}
// stdout: {decisions: [Decision], mutants: [{request index: Decision}]}
//         Decision: {result, denies: [Sid], ignored: [context key]} | {error}
import { runSimulation } from '@cloud-copilot/iam-simulate'

const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const ORGANISATION = [{ orgIdentifier: 'r-none', policies: [{ name: 'FullAWSAccess', policy: ALL }] }]

function documentsOf(request) {
  const { identity, boundary = [], endpoint = [], resourcePolicy } = request
  return [...identity, ...boundary, ...endpoint, ...(resourcePolicy ? [resourcePolicy] : [])]
}

function isAbout(patterns, action) {
  return patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(action))
}

// The simulator drops context keys that its data does not know, such as the older spelling of a key. To evaluate
// them, they change names with keys that it knows, in the policies and in the request alike.
function renamed(value, names) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names))
  if (typeof value === 'string') {
    return Object.entries(names).reduce((text, [key, name]) => text.replaceAll('${' + key + '}', '${' + name + '}'), value)
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [names[key] ?? key, renamed(item, names)]))
}

async function evaluate(original, originals) {
  const names = original.rename ?? {}
  const request = { ...original, context: renamed(original.context, names) }
  const documents = Object.fromEntries(documentsOf(original).map((name) => [name, renamed(originals[name], names)]))
  const named = (names) => names.map((name) => ({ name, policy: documents[name] }))
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.account },
      contextVariables: request.context,
    },
    identityPolicies: named(request.identity),
    serviceControlPolicies: ORGANISATION,
    resourceControlPolicies: [],
  }
  if (request.boundary?.length) simulation.permissionBoundaryPolicies = named(request.boundary)
  if (request.endpoint?.length) simulation.vpcEndpointPolicies = named(request.endpoint)
  if (request.resourcePolicy) simulation.resourcePolicy = documents[request.resourcePolicy]
  const answer = await runSimulation(simulation, {})
  if (answer.resultType === 'error') return { error: answer.errors }
  const results = answer.resultType === 'single' ? [answer.result] : answer.results
  const denies = results.flatMap(({ analysis }) =>
    ['identityAnalysis', 'permissionBoundaryAnalysis', 'resourceAnalysis', 'endpointAnalysis', 'vpcEndpointAnalysis']
      .flatMap((part) => analysis[part]?.denyStatements ?? [])
      .map(({ statement }) => statement.sid?.() ?? '?'),
  )
  return {
    result: answer.overallResult,
    denies: [...new Set(denies)],
    ignored: [...new Set(results.flatMap(({ ignoredContextKeys }) => ignoredContextKeys ?? []))],
  }
}

let text = ''
for await (const part of process.stdin) text += part
const { documents, requests, mutants } = JSON.parse(text)
const decisions = []
for (const request of requests) decisions.push(await evaluate(request, documents))
const outcomes = []
for (const { document, policy, actions } of mutants) {
  const changed = {}
  for (const [index, request] of requests.entries()) {
    if (!documentsOf(request).includes(document) || !isAbout(actions, request.action)) continue
    changed[index] = await evaluate(request, { ...documents, [document]: policy })
  }
  outcomes.push(changed)
}
process.stdout.write(JSON.stringify({ decisions, mutants: outcomes }))
