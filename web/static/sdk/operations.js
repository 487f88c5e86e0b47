/**
 * Every operation of the API: its method, its path below /api, and what is special about it.
 *
 * once: never repeated, as the next call says more.
 * adds: not repeated after a lost answer, as it would happen twice (all POSTs are so).
 * keyed: has an Idempotency-Key, so that it may be repeated.
 * pictures: its answer may be large.
 * keyless: by the contract, with a key it is for moderators, and without one for everybody.
 */
export const OPERATIONS = {
  // Pictures
  generate: ["POST", "/v2/generate/async"],
  check: ["GET", "/v2/generate/check/{request}"],
  status: ["GET", "/v2/generate/status/{request}", "pictures"],
  cancel: ["DELETE", "/v2/generate/status/{request}", "pictures"],
  pop: ["POST", "/v2/generate/pop", "once"],
  progress: ["POST", "/v2/generate/progress", "once"],
  submit: ["POST", "/v2/generate/submit"],
  text: {
    generate: ["POST", "/v2/generate/text/async"],
    status: ["GET", "/v2/generate/text/status/{request}"],
    cancel: ["DELETE", "/v2/generate/text/status/{request}"],
    pop: ["POST", "/v2/generate/text/pop", "once"],
    submit: ["POST", "/v2/generate/text/submit"],
  },
  alchemy: {
    ask: ["POST", "/v2/interrogate/async"],
    status: ["GET", "/v2/interrogate/status/{request}"],
    cancel: ["DELETE", "/v2/interrogate/status/{request}"],
    pop: ["POST", "/v2/interrogate/pop", "once"],
    submit: ["POST", "/v2/interrogate/submit"],
  },

  // The horde as a whole
  heartbeat: ["GET", "/v2/status/heartbeat"],
  performance: ["GET", "/v2/status/performance"],
  news: ["GET", "/v2/status/news"],
  modes: ["GET", "/v2/status/modes", "keyless"],
  setModes: ["PUT", "/v2/status/modes"],
  terms: ["GET", "/v2/documents/terms"],
  privacy: ["GET", "/v2/documents/privacy"],
  sponsors: ["GET", "/v2/documents/sponsors"],
  models: {
    active: ["GET", "/v2/status/models"],
    activeNamed: ["GET", "/v2/status/models/{name}"],
    known: ["GET", "/v2/catalog/models"],
    knownNamed: ["GET", "/v2/catalog/models/{name}"],
  },
  stats: {
    images: ["GET", "/v2/stats/img/totals"],
    imageModels: ["GET", "/v2/stats/img/models"],
    texts: ["GET", "/v2/stats/text/totals"],
    textModels: ["GET", "/v2/stats/text/models"],
  },

  // People
  users: {
    register: ["POST", "/v2/register"],
    logIn: ["POST", "/v2/login/code"],
    me: ["GET", "/v2/find_user"],
    all: ["GET", "/v2/users"],
    get: ["GET", "/v2/users/{user}"],
    edit: ["PUT", "/v2/users/{user}", "adds"],
    delete: ["DELETE", "/v2/users/{user}"],
    export: ["GET", "/v2/users/{user}/export"],
    webhookKey: ["GET", "/v2/webhooks/key"],
  },
  kudos: {
    transfer: ["POST", "/v2/kudos/transfer", "keyed"],
    award: ["POST", "/v2/kudos/award"],
    audit: ["GET", "/v2/kudos/audit"],
  },
  sharedKeys: {
    create: ["PUT", "/v2/sharedkeys", "adds"],
    get: ["GET", "/v2/sharedkeys/{key}"],
    edit: ["PATCH", "/v2/sharedkeys/{key}"],
    delete: ["DELETE", "/v2/sharedkeys/{key}"],
  },

  // Workers
  workers: {
    all: ["GET", "/v2/workers"],
    get: ["GET", "/v2/workers/{worker}"],
    named: ["GET", "/v2/workers/name/{name}"],
    edit: ["PUT", "/v2/workers/{worker}"],
    delete: ["DELETE", "/v2/workers/{worker}"],
  },
  messages: {
    send: ["POST", "/v2/workers/messages"],
    all: ["GET", "/v2/workers/messages"],
    get: ["GET", "/v2/workers/messages/{message}"],
    delete: ["DELETE", "/v2/workers/messages/{message}"],
  },
  teams: {
    all: ["GET", "/v2/teams"],
    get: ["GET", "/v2/teams/{team}", "keyless"],
    create: ["POST", "/v2/teams"],
    edit: ["PATCH", "/v2/teams/{team}"],
    delete: ["DELETE", "/v2/teams/{team}"],
  },

  // What people share
  styles: {
    all: ["GET", "/v2/styles/image"],
    get: ["GET", "/v2/styles/image/{style}"],
    named: ["GET", "/v2/styles/image_by_name/{name}"],
    create: ["POST", "/v2/styles/image"],
    edit: ["PATCH", "/v2/styles/image/{style}"],
    delete: ["DELETE", "/v2/styles/image/{style}"],
    addExample: ["POST", "/v2/styles/image/{style}/example"],
    editExample: ["PATCH", "/v2/styles/image/{style}/example/{example}"],
    deleteExample: ["DELETE", "/v2/styles/image/{style}/example/{example}"],
  },
  textStyles: {
    all: ["GET", "/v2/styles/text"],
    get: ["GET", "/v2/styles/text/{style}"],
    named: ["GET", "/v2/styles/text_by_name/{name}"],
    create: ["POST", "/v2/styles/text"],
    edit: ["PATCH", "/v2/styles/text/{style}"],
    delete: ["DELETE", "/v2/styles/text/{style}"],
  },
  collections: {
    all: ["GET", "/v2/collections"],
    get: ["GET", "/v2/collections/{collection}"],
    named: ["GET", "/v2/collection_by_name/{name}"],
    create: ["POST", "/v2/collections"],
    edit: ["PATCH", "/v2/collections/{collection}"],
    delete: ["DELETE", "/v2/collections/{collection}"],
  },
  ratings: {
    rateRequest: ["POST", "/v2/generate/rate/{request}"],
    next: ["GET", "/v1/rating/new"],
    rate: ["POST", "/v1/rating/{picture}"],
    datasets: ["GET", "/v1/datasets"],
  },
  sharedPictures: {
    all: ["GET", "/v2/shared/pictures"],
    get: ["GET", "/v2/shared/pictures/{picture}"],
    delete: ["DELETE", "/v2/shared/pictures/{picture}"],
  },

  // Moderation
  reports: {
    make: ["POST", "/v2/reports"],
    all: ["GET", "/v2/reports"],
    decide: ["PATCH", "/v2/reports/{report}"],
  },
  filters: {
    all: ["GET", "/v2/filters"],
    get: ["GET", "/v2/filters/{filter}"],
    create: ["PUT", "/v2/filters", "adds"],
    edit: ["PATCH", "/v2/filters/{filter}"],
    delete: ["DELETE", "/v2/filters/{filter}"],
    test: ["POST", "/v2/filters"],
    expressions: ["GET", "/v2/filters/regex"],
  },
  addresses: {
    blocked: ["GET", "/v2/operations/ipaddr"],
    blocking: ["GET", "/v2/operations/ipaddr/{address}"],
    block: ["POST", "/v2/operations/ipaddr"],
    unblock: ["DELETE", "/v2/operations/ipaddr"],
    blockWorker: ["PUT", "/v2/operations/block_worker_ipaddr/{worker}"],
    unblockWorker: ["DELETE", "/v2/operations/block_worker_ipaddr/{worker}"],
  },
};
