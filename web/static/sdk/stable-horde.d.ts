// Made by tests/sdk/declarations.py of docs/openapi.json.

export const ANONYMOUS_KEY: "0000000000";

export interface HordeOptions {
  /** Empty: no key is sent. */
  apiKey?: string;
  /** `name:version:contact` of the program that uses this. */
  clientAgent?: string;
  /** For each attempt, to the last byte. */
  timeoutSeconds?: number;
  /** How often what may be repeated is tried. */
  attempts?: number;
  /** How often a request is looked at where there is no event stream. */
  pollSeconds?: number;
  /** More headers for each call to the horde. */
  headers?: (apiKey: string) => Record<string, string>;
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal;
  timeoutSeconds?: number;
  /** Of a transfer or a request: calls with the same key and content are the same one. */
  key?: string;
}

export type Kind = "image" | "text" | "alchemy";

export class Horde {
  /** url: with or without /api; empty: where this page comes from. */
  constructor(url?: string, options?: HordeOptions);
  /** The same horde for somebody else. */
  withKey(apiKey: string): Horde;
  /** The cost of a request, in kudos, without queueing it. */
  price(request: GenerationInputStable, options?: CallOptions): Promise<number>;
  /** Yield what happens to a request, its end last and each picture once, whatever breaks. */
  events(id: string, options?: { kind?: Kind; signal?: AbortSignal }): AsyncGenerator<HordeEvent, void>;
  /** Yield what one connection to a request's event stream says. */
  listen(id: string, options?: { signal?: AbortSignal }): AsyncGenerator<HordeEvent, void>;
  /** Wait until a request ends; its status, with its results. Throws TimedOut. */
  waitFor(id: string, options: WaitOptions & { kind: "text" }): Promise<RequestStatusKobold>;
  waitFor(id: string, options: WaitOptions & { kind: "alchemy" }): Promise<InterrogationStatus>;
  waitFor(id: string, options: WaitOptions & { kind?: "image" }): Promise<RequestStatusStable>;
  /** The bytes of a generation's `img`, which is a URL or base64. */
  download(image: string, options?: { signal?: AbortSignal; maxBytes?: number }): Promise<Uint8Array>;
  /** PUT a picture (WebP) to a URL from a pop's `r2_uploads`. */
  upload(url: string, content: BodyInit, options?: { signal?: AbortSignal }): Promise<void>;
  /** Call an endpoint that this class does not know. path: below /api. */
  call(method: string, path: string, options?: CallOptions & { input?: unknown; is?: string }): Promise<any>;
  /** Ask for pictures. */
  generate(input: GenerationInputStable, options?: CallOptions): Promise<RequestAsync>;
  /** See the status of a request. */
  check(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<RequestStatusCheck>;
  /** Get the status of a request, with its finished pictures. */
  status(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<RequestStatusStable>;
  /** Cancel the waiting pictures of a request; the answer is its status before. */
  cancel(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<RequestStatusStable>;
  /** Get work. With `wait`, the answer comes once there is some, or when the time is up. */
  pop(input: PopInputStable, options?: CallOptions): Promise<GenerationPayloadStable>;
  /** Say how far jobs are; who watches sees it. Workers alone need it. */
  progress(input: ProgressInput, options?: CallOptions): Promise<ProgressHeard>;
  /** Deliver a picture, or give the job back. */
  submit(input: SubmitInputStable, options?: CallOptions): Promise<GenerationSubmitted>;
  text: {
    /** Ask for texts. */
    generate(input: GenerationInputKobold, options?: CallOptions): Promise<RequestAsync>;
    /** See the status of a request, with its finished texts. */
    status(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<RequestStatusKobold>;
    /** Cancel the waiting texts of a request; the answer is its status before. */
    cancel(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<RequestStatusKobold>;
    /** Get texts to write. With `wait`, the answer comes once there are some. */
    pop(input: PopInputKobold, options?: CallOptions): Promise<GenerationPayloadKobold>;
    /** Deliver a text, or give the job back. */
    submit(input: SubmitInputKobold, options?: CallOptions): Promise<GenerationSubmitted>;
  };
  alchemy: {
    /** Ask for forms about a picture. */
    ask(input: ModelInterrogationInputStable, options?: CallOptions): Promise<RequestInterrogationResponse>;
    /** See the status of the forms, and their results. */
    status(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<InterrogationStatus>;
    /** Cancel the waiting forms; the answer is the status after that. */
    cancel(request: string | number, input?: Record<string, never>, options?: CallOptions): Promise<InterrogationStatus>;
    /** Get forms to fill. With `wait`, the answer comes once there are some. */
    pop(input: InterrogationPopInput, options?: CallOptions): Promise<InterrogationPopPayload>;
    /** Deliver the result of a form, or give it back. */
    submit(input: InterrogationSubmitInput, options?: CallOptions): Promise<GenerationSubmitted>;
  };
  /** See whether this server works. */
  heartbeat(input?: Record<string, never>, options?: CallOptions): Promise<HordeHeartbeat>;
  /** See the queues and who works on them. */
  performance(input?: Record<string, never>, options?: CallOptions): Promise<HordePerformance>;
  /** Read the news, newest first. */
  news(input?: Record<string, never>, options?: CallOptions): Promise<Newspiece[]>;
  /** See the modes of the horde; with a key, which has to be a moderator's, also raid mode. */
  modes(input?: Record<string, never>, options?: CallOptions): Promise<HordeModes>;
  /** Switch modes of the horde: administrators maintenance, moderators the others. */
  setModes(input?: HordeModesInput, options?: CallOptions): Promise<HordeModes>;
  /** Read the rules of this horde. */
  terms(input?: { format?: string; }, options?: CallOptions): Promise<HordeDocument>;
  /** Read what this horde stores, and for how long. */
  privacy(input?: { format?: string; }, options?: CallOptions): Promise<HordeDocument>;
  /** Read who helps this horde. */
  sponsors(input?: { format?: string; }, options?: CallOptions): Promise<HordeDocument>;
  models: {
    /** List the models that are offered, and known ones that are asked for. */
    active(input?: { type?: string; min_count?: number; max_count?: number; model_state?: string; }, options?: CallOptions): Promise<ActiveModel[]>;
    /** See one model: a list of one, or of none. */
    activeNamed(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<ActiveModel[]>;
    /** See what this horde knows about models: baselines, requirements, parameters. */
    known(input?: Record<string, never>, options?: CallOptions): Promise<ModelReference>;
    /** See what this horde knows of one image model, its words too if it knows few. */
    knownNamed(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<ImageModelDetails>;
  };
  stats: {
    /** See how many pictures were made. */
    images(input?: Record<string, never>, options?: CallOptions): Promise<StatsImgTotals>;
    /** See how many pictures each model made. */
    imageModels(input?: { model_state?: string; }, options?: CallOptions): Promise<ImgModelStats>;
    /** See how many texts were written. */
    texts(input?: Record<string, never>, options?: CallOptions): Promise<StatsTxtTotals>;
    /** See how many texts each model wrote. */
    textModels(input?: Record<string, never>, options?: CallOptions): Promise<TxtModelStats>;
  };
  users: {
    /** Register without a login. The key is shown once and cannot be recovered. */
    register(input: RegisterInput, options?: CallOptions): Promise<Registered>;
    /** Exchange the code that the page shows for a token, which is used as an API key. */
    logIn(input: LoginCodeInput, options?: CallOptions): Promise<ProgramLogin>;
    /** See the user of an API key; of a shared key its owner, with the kudos it can spend. */
    me(input?: Record<string, never>, options?: CallOptions): Promise<UserDetails>;
    /** List users, those with most kudos or the oldest first. */
    all(input?: { page?: number; sort?: string; }, options?: CallOptions): Promise<UserDetails[]>;
    /** See a user; the owner and moderators see more. */
    get(user: string | number, input?: Record<string, never>, options?: CallOptions): Promise<UserDetails>;
    /** Change a user: some of it by the user, more by moderators, the rest by administrators. */
    edit(user: string | number, input?: ModifyUserInput, options?: CallOptions): Promise<ModifyUser>;
    /** Disable an account; once it has not been used for 30 days, a second call wipes it. */
    delete(user: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
    /** Get everything that is stored about oneself. */
    export(user: string | number, input?: { before?: number; }, options?: CallOptions): Promise<UserExport>;
    /** See the key that signs the webhooks of your requests; it is as secret as your API key. */
    webhookKey(input?: Record<string, never>, options?: CallOptions): Promise<WebhookKey>;
  };
  kudos: {
    /** Give somebody kudos. With an Idempotency-Key, repeating the call gives them only once. */
    transfer(input: KudosTransferInput, options?: CallOptions): Promise<KudosTransferred>;
    /** Award somebody kudos; administrators only. */
    award(input: KudosTransferInput, options?: CallOptions): Promise<KudosAwarded>;
    /** Prove that all kudos entries sum to zero and all balances are their entries. */
    audit(input?: Record<string, never>, options?: CallOptions): Promise<KudosAudit>;
  };
  sharedKeys: {
    /** Make a shared key. */
    create(input?: SharedKeyInput, options?: CallOptions): Promise<SharedKeyDetails>;
    /** See a shared key, and what is left of its budget. */
    get(key: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SharedKeyDetails>;
    /** Change a shared key of one's own; absent fields stay. */
    edit(key: string | number, input?: SharedKeyInput, options?: CallOptions): Promise<SharedKeyDetails>;
    /** Delete a shared key of one's own. */
    delete(key: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  workers: {
    /** List workers that were seen in the last 300 seconds. */
    all(input?: { type?: string; name?: string; }, options?: CallOptions): Promise<WorkerDetails[]>;
    /** See a worker, even if it is offline. */
    get(worker: string | number, input?: Record<string, never>, options?: CallOptions): Promise<WorkerDetails>;
    /** See the worker of a name, ignoring case. */
    named(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<WorkerDetails>;
    /** Change a worker: its owner and moderators may; only moderators pause it. */
    edit(worker: string | number, input?: ModifyWorkerInput, options?: CallOptions): Promise<ModifyWorker>;
    /** Delete a worker that has no job in hand. */
    delete(worker: string | number, input?: Record<string, never>, options?: CallOptions): Promise<DeletedWorker | undefined>;
  };
  messages: {
    /** Send a message to one of your workers; moderators may send to any, or to all. */
    send(input: ResponseModelMessage__Input, options?: CallOptions): Promise<ResponseModelMessage>;
    /** List messages: moderators see all, others those from them or to their workers. */
    all(input?: { user_id?: number; worker_id?: string; validity?: string; page?: number; }, options?: CallOptions): Promise<ResponseModelMessage[]>;
    /** See a message. */
    get(message: string | number, input?: Record<string, never>, options?: CallOptions): Promise<ResponseModelMessage>;
    /** Delete a message. */
    delete(message: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  teams: {
    /** List all teams. */
    all(input?: Record<string, never>, options?: CallOptions): Promise<TeamDetails[]>;
    /** See a team. */
    get(team: string | number, input?: Record<string, never>, options?: CallOptions): Promise<TeamDetails>;
    /** Create a team; trusted users may. */
    create(input: CreateTeamInput, options?: CallOptions): Promise<ModifyTeam>;
    /** Change a team: its creator and moderators may. */
    edit(team: string | number, input?: ModifyTeamInput, options?: CallOptions): Promise<ModifyTeam>;
    /** Delete a team; its workers stay. */
    delete(team: string | number, input?: Record<string, never>, options?: CallOptions): Promise<DeletedTeam | undefined>;
  };
  styles: {
    /** List public styles for pictures. */
    all(input?: { sort?: string; page?: number; tag?: string; model?: string; }, options?: CallOptions): Promise<StyleStable[]>;
    /** See a style for pictures, even one that is not listed. */
    get(style: string | number, input?: Record<string, never>, options?: CallOptions): Promise<StyleStable>;
    /** See a style for pictures by its name. */
    named(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<StyleStable>;
    /** Create a style for pictures; customizers and trusted users may. */
    create(input: ModelStyleInputStable, options?: CallOptions): Promise<StyleModify>;
    /** Change a style of one's own; absent fields stay as they are. */
    edit(style: string | number, input?: ModelStylePatchStable, options?: CallOptions): Promise<StyleModify>;
    /** Delete a style: its owner and moderators may. */
    delete(style: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
    /** Add an example of a style, by the https URL of a picture. */
    addExample(style: string | number, input: InputStyleExamplePost, options?: CallOptions): Promise<StyleModify>;
    /** Change an example. */
    editExample(style: string | number, example: string | number, input?: InputStyleExamplePatch, options?: CallOptions): Promise<StyleModify>;
    /** Delete an example. */
    deleteExample(style: string | number, example: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  textStyles: {
    /** List public styles for texts. */
    all(input?: { sort?: string; page?: number; tag?: string; model?: string; }, options?: CallOptions): Promise<StyleKobold[]>;
    /** See a style for texts, even one that is not listed. */
    get(style: string | number, input?: Record<string, never>, options?: CallOptions): Promise<StyleKobold>;
    /** See a style for texts by its name. */
    named(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<StyleKobold>;
    /** Create a style for texts; customizers and trusted users may. */
    create(input: ModelStyleInputKobold, options?: CallOptions): Promise<StyleModify>;
    /** Change a style of one's own; absent fields stay as they are. */
    edit(style: string | number, input?: ModelStylePatchKobold, options?: CallOptions): Promise<StyleModify>;
    /** Delete a style: its owner and moderators may. */
    delete(style: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  collections: {
    /** List public collections. */
    all(input?: { sort?: string; page?: number; type?: string; }, options?: CallOptions): Promise<ResponseModelCollection[]>;
    /** See a collection, even one that is not listed. */
    get(collection: string | number, input?: Record<string, never>, options?: CallOptions): Promise<ResponseModelCollection>;
    /** See a collection by its name. */
    named(name: string | number, input?: Record<string, never>, options?: CallOptions): Promise<ResponseModelCollection>;
    /** Make a collection of styles, by their ids or names. */
    create(input?: InputModelCollection, options?: CallOptions): Promise<StyleModify>;
    /** Change a collection of one's own; absent fields stay as they are. */
    edit(collection: string | number, input?: InputModelCollection, options?: CallOptions): Promise<StyleModify>;
    /** Delete a collection, not its styles: its owner and moderators may. */
    delete(collection: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  ratings: {
    /** Rate a shared request's pictures; its id is enough. */
    rateRequest(request: string | number, input?: AestheticsPayload, options?: CallOptions): Promise<GenerationSubmitted>;
    next(input?: Record<string, never>, options?: CallOptions): Promise<DatasetImage>;
    rate(picture: string | number, input: RatePostInput, options?: CallOptions): Promise<RatePostResponse>;
    datasets(input?: Record<string, never>, options?: CallOptions): Promise<Dataset[]>;
  };
  sharedPictures: {
    /** List the pictures that you have shared, newest first. */
    all(input?: { page?: number; }, options?: CallOptions): Promise<SharedPictureDetails[]>;
    /** See a shared picture and how it was made. */
    get(picture: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SharedPictureDetails>;
    /** Remove a picture from the data set: its requester and moderators may. */
    delete(picture: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
  reports: {
    /** Report a shared picture, a style, or the name of somebody or something as abuse. */
    make(input: ReportInput, options?: CallOptions): Promise<ReportMade>;
    /** List reports; moderators may. */
    all(input?: { state?: string; page?: number; }, options?: CallOptions): Promise<ReportDetails[]>;
    /** Close a report, or open it again; moderators may. */
    decide(report: string | number, input: ModifyReport, options?: CallOptions): Promise<ReportDetails>;
  };
  filters: {
    /** List the filters. */
    all(input?: { filter_type?: number; contains?: string; }, options?: CallOptions): Promise<FilterDetails[]>;
    /** See a filter. */
    get(filter: string | number, input?: Record<string, never>, options?: CallOptions): Promise<FilterDetails>;
    /** Add a filter; an existing one is returned unchanged. */
    create(input: PutNewFilter, options?: CallOptions): Promise<FilterDetails>;
    /** Change a filter. */
    edit(filter: string | number, input?: PatchExistingFilter, options?: CallOptions): Promise<FilterDetails>;
    /** Delete a filter. */
    delete(filter: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
    /** See what the filters find in a prompt. */
    test(input: FilterTest, options?: CallOptions): Promise<FilterPromptSuspicion>;
    /** See all filters of a type as one expression. */
    expressions(input?: { filter_type?: number; }, options?: CallOptions): Promise<FilterRegex[]>;
  };
  addresses: {
    /** List the networks that moderators keep out. */
    blocked(input?: Record<string, never>, options?: CallOptions): Promise<IPTimeout[]>;
    /** See why an address is kept out. */
    blocking(address: string | number, input?: Record<string, never>, options?: CallOptions): Promise<IPTimeout[]>;
    /** Keep an address or a network out for some hours. */
    block(input: AddTimeoutIPInput, options?: CallOptions): Promise<SimpleResponse>;
    /** Let an address or a network in again. */
    unblock(input: DeleteTimeoutIPInput, options?: CallOptions): Promise<SimpleResponse | undefined>;
    /** Keep out the address from which a worker last checked in. */
    blockWorker(worker: string | number, input: AddWorkerTimeout, options?: CallOptions): Promise<SimpleResponse>;
    /** Let a worker's address in again. */
    unblockWorker(worker: string | number, input?: Record<string, never>, options?: CallOptions): Promise<SimpleResponse | undefined>;
  };
}

export interface WaitOptions {
  /** Absent: for ever. */
  timeoutSeconds?: number;
  /** Called with each event. */
  onEvent?: (event: HordeEvent) => void;
  signal?: AbortSignal;
}

export class HordeError extends Error {
  /** Of HTTP; 0 if there was no answer. */
  status: number;
  /** The server's return code, to branch on; empty if it gave none. */
  rc: string;
  /** What is wrong with the request, by dotted path. */
  errors: Record<string, string>;
  retryAfterSeconds?: number;
  /** Whether the server, or the way to it, is to blame, rather than the request. */
  get offline(): boolean;
}
export class Unreachable extends HordeError {}
export class TimedOut extends HordeError {}
export class UnexpectedAnswer extends HordeError {}
export class TooLarge extends UnexpectedAnswer {}
export class Invalid extends HordeError {}
export class Unauthenticated extends HordeError {}
export class Forbidden extends HordeError {}
export class NotFound extends HordeError {}
export class TooMany extends HordeError {}
export class Unavailable extends HordeError {}

export type HordeEvent = ({ type: "status" } & StatusEvent) | ({ type: "generation" } & GenerationEvent) | ({ type: "progress" } & ProgressEvent) | ({ type: "end" } & EndEvent);

/** A model that is offered or asked for. */
export interface ActiveModel {
  /** How many threads offer it. */
  count: number;
  /** Seconds; 10000 if it is asked for and nobody offers it. */
  eta: number;
  jobs: number;
  name: string;
  /** Pixelsteps (or tokens) a second. */
  performance: number;
  /** Pixelsteps (or tokens). */
  queued: number;
  type: "image" | "text";
}

/** A model, and how many serve it. */
export interface ActiveModelLite {
  count: number;
  name: string;
}

/** An address or network to be kept out. */
export interface AddTimeoutIPInput {
  hours: number;
  ipaddr: string;
}

/** For how long a worker's address is kept out. */
export interface AddWorkerTimeout {
  days: number;
}

/** The requester's rating of one picture. */
export interface AestheticRating {
  /** 0: flawless; 5: garbage. */
  artifacts?: number;
  id: string;
  /** 1: not liked at all; 10: liked most. */
  rating: number;
}

/** The requester's ratings of a request's pictures; one of the two is needed. */
export interface AestheticsPayload {
  /** The picture that is liked best. */
  best?: string;
  ratings?: AestheticRating[];
}

/** Obsolete, always null: `records` has it. */
export interface ContributionsDetails {
  fulfillments?: number | null;
  megapixelsteps?: number | null;
}

/** `POST teams`: a new team. */
export interface CreateTeamInput {
  info?: string;
  name: string;
}

/** A set of pictures that can be rated. */
export interface Dataset {
  id: string;
  name: string;
  description: string;
  image_count: number;
}

/** A picture to rate. */
export interface DatasetImage {
  id: string;
  /** Lives 30 minutes. */
  url: string;
  dataset_id: string;
}

/** An address or network to be let in again. */
export interface DeleteTimeoutIPInput {
  ipaddr: string;
}

/** The deleted team. */
export interface DeletedTeam {
  deleted_id: string;
  deleted_name: string;
}

/** The deleted worker. */
export interface DeletedWorker {
  deleted_id: string;
  deleted_name: string;
}

/** 200: the price of all of it; nothing is queued. */
export interface DryRun {
  /** In whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
}

/** Nothing more will happen. */
export interface EndEvent {
  done: boolean;
  faulted?: boolean;
  /** The results that workers failed at, if any. Ours. */
  faults?: JobFault[] | null;
  /** Pictures delivered. */
  finished: number;
  /** Whether a worker that is online could take it. */
  is_possible?: boolean;
  /** Consumed so far, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  /** Pictures that a worker is making. */
  processing: number;
  /** From 1; 0 if nothing is waiting. */
  queue_position: number;
  /** How often a worker failed at a picture; these are waiting again. */
  restarted: number;
  /** Seconds, estimated. */
  wait_time: number;
  /** Pictures that no worker has taken yet. */
  waiting: number;
}

/** The registration. Keys and passkeys are known to nobody: only their hashes are stored. */
export interface ExportedAccount {
  id: number;
  /** To the hour. */
  last_active: string;
  /** Who the user is at a login service, or a number if there is no login. */
  login: string;
  registered: string;
  roles: string[];
  username: string;
}

/** What an event moved on one of the user's accounts. */
export interface ExportedEntry {
  /** spendable or escrow. */
  account: string;
  at: string;
  id: number;
  kind: string;
  kudos: number;
}

/** One more picture to start from (`remix` only). */
export interface ExtraSourceImage {
  /** Base64, or a URL that starts with `http`. */
  image?: string;
  strength?: number;
}

/** A text for a workflow, such as the content of a QR code. */
export interface ExtraText {
  /** What the workflow uses the text for. */
  reference?: string;
  text?: string;
}

/** A filter. */
export interface FilterDetails {
  description?: string | null;
  filter_type: number;
  id: string;
  regex: string;
  replacement?: string;
  /** Alias of the moderator who wrote it; `shipped` for those that came with the horde. */
  user: string;
}

/** The judgement of a prompt. */
export interface FilterPromptSuspicion {
  /** The matches in it, as filters see them. */
  matches?: string[];
  /** How many groups of filters it hits; 2 is refused. */
  suspicion?: string;
}

/** All filters of a type in one expression. */
export interface FilterRegex {
  filter_type: number;
  regex: string;
}

/** A prompt to be searched. */
export interface FilterTest {
  /** Only with filters of this type. */
  filter_type?: number | null;
  prompt: string;
}

/** A picture is finished; once for each on a connection. */
export interface GenerationEvent {
  censored: boolean;
  gen_metadata?: ReportedMetadata[];
  id: string;
  /** A URL that lives 30 minutes and differs each time, or base64 WebP. */
  img: string;
  index: number;
  /** Its cost; None if a client had to poll instead. */
  kudos?: number | null;
  model: string;
  seed: string;
  state?: "ok" | "censored" | "csam";
  worker_id: string;
  worker_name: string;
}

/** `POST generate/text/async`: what is wanted. */
export interface GenerationInputKobold {
  /** Whether to make less if the account cannot pay, rather than to refuse. */
  allow_downgrade?: boolean;
  /** Whether each text is made on its own. */
  disable_batching?: boolean;
  /** True: only the price is wanted, nothing is queued. */
  dry_run?: boolean;
  /** True: also workers that say they are extra slow. */
  extra_slow_workers?: boolean;
  /** Only useful for pictures. */
  extra_source_images?: ExtraSourceImage[];
  /** Any of these will do; none: any model. */
  models?: string[];
  params?: ModelGenerationInputKobold;
  prompt: string;
  /** The person for whom a service account asks. */
  proxied_account?: string;
  /** False: only fast workers, at a surcharge. */
  slow_workers?: boolean;
  /** The name of a soft prompt that the worker must have. */
  softprompt?: string;
  /** The id or name of a style or collection. */
  style?: string;
  /** Only workers of trusted users. */
  trusted_workers?: boolean;
  /** Only workers whose program is known. */
  validated_backends?: boolean;
  /** An https URL that gets each text as it is finished. */
  webhook?: string;
  /** True: `workers` may not serve it. */
  worker_blacklist?: boolean;
  /** Ids of the only workers that may serve it; only the first five count. */
  workers?: string[];
}

/** `POST generate/async`: what is wanted. */
export interface GenerationInputStable {
  /** Whether to make less if the account cannot pay, rather than to refuse. */
  allow_downgrade?: boolean;
  /** Whether the worker replaces an unsafe picture if `nsfw` is false. */
  censor_nsfw?: boolean;
  /** Whether each picture is made on its own. */
  disable_batching?: boolean;
  /** True: only the price is wanted, nothing is queued. */
  dry_run?: boolean;
  /** True: also workers that say they are extra slow. */
  extra_slow_workers?: boolean;
  extra_source_images?: ExtraSourceImage[];
  /** Any of these will do; none: any model. Servers may have another default. */
  models?: string[];
  /** Whether the picture may be unsafe for work; if so, only workers that allow it serve it. */
  nsfw?: boolean;
  params?: ModelGenerationInputStable;
  /** The part after the first `###` is the negative prompt. */
  prompt: string;
  /** The person for whom a service account asks. */
  proxied_account?: string;
  /** True: pictures come as URLs; false: as base64. */
  r2?: boolean;
  /** Whether a suspicious prompt is rewritten rather than refused. */
  replacement_filter?: boolean;
  shared?: boolean;
  /** False: only fast workers, at a surcharge. */
  slow_workers?: boolean;
  /** Base64, or a URL that starts with `http`. */
  source_image?: string;
  source_mask?: string;
  source_processing?: "img2img" | "inpainting" | "outpainting" | "remix";
  /** The id or name of a style or collection. */
  style?: string;
  /** Only workers of trusted users. */
  trusted_workers?: boolean;
  /** Only useful for text. */
  validated_backends?: boolean;
  /** An https URL that gets each picture as it is finished. */
  webhook?: string;
  /** True: `workers` may not serve it. */
  worker_blacklist?: boolean;
  /** Ids of the only workers that may serve it; only the first five count. */
  workers?: string[];
}

/** A finished text. */
export interface GenerationKobold {
  gen_metadata?: ReportedMetadataKobold[];
  model: string;
  seed?: number;
  state?: "ok" | "censored" | "csam";
  /** The continuation of the prompt, without the prompt. */
  text: string;
  worker_id: string;
  worker_name: string;
}

/** A note about a text. */
export interface GenerationMetadataKobold {
  ref?: string;
  type: "censorship";
  value: "csam";
}

/** A note about a picture, such as an adaptation that could not be downloaded. */
export interface GenerationMetadataStable {
  /** The subject of the note, or the value itself if `value` is `see_ref`. */
  ref?: string;
  type: "lora" | "ti" | "censorship" | "source_image" | "source_mask" | "extra_source_images" | "batch_index" | "information" | "aesthetic_score";
  value: "download_failed" | "parse_failed" | "baseline_mismatch" | "csam" | "nsfw" | "see_ref";
}

/** A batch of jobs of one request, or, if `id` is None, the reasons why there is none. */
export interface GenerationPayloadKobold {
  extra_source_images?: ExtraSourceImage[] | null;
  /** The first of `ids`. */
  id?: string | null;
  /** One job for each text. */
  ids?: string[];
  messages?: ResponseModelMessagePop[];
  model?: string | null;
  payload?: ModelPayloadKobold;
  skipped?: NoValidRequestFoundKobold;
  softprompt?: string | null;
  /** Seconds until the jobs are given to somebody else. */
  ttl?: number | null;
}

/** A batch of jobs of one request, or, if `id` is None, the reasons why there is none. */
export interface GenerationPayloadStable {
  extra_source_images?: ExtraSourceImage[] | null;
  /** The first of `ids`. */
  id?: string | null;
  /** One job for each picture, in the order of `r2_uploads`. */
  ids?: string[];
  messages?: ResponseModelMessagePop[];
  model?: string | null;
  payload?: ModelPayloadStable;
  /** The first of `r2_uploads`. */
  r2_upload?: string | null;
  /** The URLs, to be used unchanged, to which the pictures are PUT as WebP. */
  r2_uploads?: string[] | null;
  skipped?: NoValidRequestFoundStable;
  /** A URL, or base64 WebP. */
  source_image?: string | null;
  source_mask?: string | null;
  source_processing?: "img2img" | "inpainting" | "outpainting" | "remix";
  /** Seconds until the jobs are given to somebody else. */
  ttl?: number | null;
}

/** A finished picture. */
export interface GenerationStable {
  censored: boolean;
  gen_metadata?: ReportedMetadata[];
  id: string;
  /** A URL that lives 30 minutes and differs each time, or base64 WebP. */
  img: string;
  model: string;
  seed: string;
  state?: "ok" | "censored" | "csam";
  worker_id: string;
  worker_name: string;
}

/** What the worker earned. */
export interface GenerationSubmitted {
  /** Kudos; 0.0 for a fault. */
  reward: number;
}

/** A document, in the requested format. */
export interface HordeDocument {
  html?: string | null;
  markdown?: string | null;
}

/** Whether this server answers and reaches its database; the status code is always 200. */
export interface HordeHeartbeat {
  /** Calls being answered. */
  active_count?: number;
  db_connection?: boolean;
  message: "OK" | "DOWN" | "OVERLOADED";
  /** Calls that wait for a thread. */
  queue?: number;
  threads?: number;
  version: string;
}

/** The modes; in the answer to a change, those that were switched. */
export interface HordeModes {
  /** Whether the anonymous user may ask for anything (ours). */
  anonymous_mode?: boolean | null;
  /** New workers need an invitation. */
  invite_only_mode?: boolean | null;
  /** No new requests. */
  maintenance_mode?: boolean | null;
  /** Moderators. */
  raid_mode?: boolean | null;
}

/** Modes to be switched; absent ones stay. */
export interface HordeModesInput {
  /** Whether the anonymous user may ask for anything (ours). */
  anonymous_mode?: boolean;
  invite_only_mode?: boolean;
  maintenance_mode?: boolean;
  raid_mode?: boolean;
}

/** The queues, and who works on them. Megapixelsteps are millions of pixels times steps. */
export interface HordePerformance {
  interrogator_count: number;
  interrogator_thread_count: number;
  past_minute_megapixelsteps: number;
  past_minute_tokens: number;
  queued_forms: number;
  queued_megapixelsteps: number;
  /** Pictures that wait or are being made. */
  queued_requests: number;
  queued_text_requests: number;
  queued_tokens: number;
  text_thread_count: number;
  text_worker_count: number;
  thread_count: number;
  /** Workers that make pictures and were seen in the last 300 seconds. */
  worker_count: number;
}

/** An address or network that is kept out. */
export interface IPTimeout {
  ipaddr: string;
  /** For how much longer. */
  seconds: number;
}

/** `GET /api/v2/catalog/models/{name}`, ours: all that this horde knows of a model. */
export interface ImageModelDetails {
  /** What it was trained from: this decides how it is loaded and priced. */
  baseline: string;
  /** What a request that names no other model gets where it says nothing: width, height, steps, cfg_scale. */
  defaults?: Record<string, JsonValue>;
  description: string;
  inpainting: boolean;
  name: string;
  /** Pixels of a side of the square pictures it was trained on. */
  native?: number | null;
  /** Whether it only changes source pictures. */
  needs_source: boolean;
  nsfw: boolean;
  /** Limits of a request for a good result (min_steps, samplers, ...). */
  requirements?: Record<string, JsonValue>;
  /** Prompts that it does well. */
  samples?: string[];
  style: string;
  /** `checkpoint`: one file; `diffusers`: a folder. */
  type: string;
  /** The words it knows, for one that knows few; null: nothing is known of that. */
  vocabulary?: ModelVocabulary | null;
}

/** How many pictures each model made, by the model's name. */
export interface ImgModelStats {
  day: Record<string, number>;
  month: Record<string, number>;
  total: Record<string, number>;
}

/** `POST collections` (`name` and `styles` are required), `PATCH collections/{id}`. */
export interface InputModelCollection {
  info?: string;
  name?: string;
  /** Whether it is listed. */
  public?: boolean;
  /** Their ids or names. */
  styles?: string[];
}

/** `PATCH styles/image/{id}/example/{example}`: changes. */
export interface InputStyleExamplePatch {
  primary?: boolean;
  url?: string;
}

/** `POST styles/image/{id}/example`: a picture on the web that shows what the style does. */
export interface InputStyleExamplePost {
  /** Whether it is shown first, instead of any other. */
  primary: boolean;
  /** https. */
  url: string;
}

/** The status of one form. */
export interface InterrogationFormStatus {
  /** How many tries failed, if any. Ours. */
  faults?: number | null;
  form: string;
  /** Why the last of them failed, in its worker's words. Ours. */
  reason?: string | null;
  result?: Record<string, JsonValue> | null;
  /** waiting, processing, done, cancelled or faulted. */
  state: string;
}

/** One form to serve within 180 seconds. */
export interface InterrogationPopFormPayload {
  form: "caption" | "interrogation" | "nsfw" | "vectorize" | "palette" | "describe" | "aesthetic" | "GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer";
  id: string;
  payload?: Record<string, JsonValue> | null;
  /** The URL, to be used unchanged, to which the picture of a post-processor is PUT as WebP. */
  r2_upload?: string | null;
  /** A URL. */
  source_image: string;
}

/** What a worker that serves forms declares. */
export interface InterrogationPopInput {
  /** What it serves with another network than the form is named for, which the result says in its `gen_metadata` (our extension). */
  also?: ("caption" | "interrogation" | "nsfw" | "vectorize" | "palette" | "describe" | "aesthetic" | "GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer")[];
  /** The most forms it takes, of any requests. */
  amount?: number;
  /** `name:version:url` of its program. */
  bridge_agent?: string;
  /** What it can serve. */
  forms?: ("caption" | "interrogation" | "nsfw" | "vectorize" | "palette" | "describe" | "aesthetic" | "GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer")[];
  /** The largest picture that it post-processes, in tiles of 512 x 512 pixels; those that it only looks at may be larger. */
  max_tiles?: number;
  /** The worker's name, unique among all workers. */
  name: string;
  /** Aliases (`name#id`) whose requests go first. */
  priority_usernames?: string[];
  /** How many forms it works on at once. */
  threads?: number;
  /** Seconds to wait for work before the answer says that there is none (our extension). */
  wait?: number;
}

/** Forms to serve, or, if there are none, why. */
export interface InterrogationPopPayload {
  forms?: InterrogationPopFormPayload[] | null;
  /** Left out if there are none (our extension: the workers of other kinds get them). */
  messages?: ResponseModelMessagePop[] | null;
  skipped?: NoValidInterrogationsFound;
}

/** The status of the forms, together and one by one, in any order. */
export interface InterrogationStatus {
  forms: InterrogationFormStatus[];
  /** Of all of them: like that of one, or partial. */
  state: string;
}

/** `POST interrogate/submit`: the result of a form. */
export interface InterrogationSubmitInput {
  /** The form's id, from the pop. */
  id: string;
  /** Why it is given back, for the requester. Ours. */
  reason?: string;
  /** As in the status; `R2` stands for an uploaded picture. */
  result: Record<string, JsonValue>;
  /** `faulted` gives the form back. */
  state?: string;
}

/** One job that is being worked on. */
export interface JobAtWork {
  /** The job's, from the pop. */
  id: string;
  /** What its picture will look like: a WebP of at most 24,000 bytes, as base64. */
  preview?: string;
  /** What is written of it so far. */
  text?: string;
}

/** A picture or text that workers failed at. Ours. */
export interface JobFault {
  /** From 0, in the order of the request's seeds. */
  index: number;
  /** Why the last of them failed, in the worker's words, if it said so. */
  reason?: string | null;
  /** How many workers' tries failed. */
  tries: number;
}

/** One picture of a request. */
export interface JobProgress {
  /** How many workers' tries failed, if any did. */
  faults?: number | null;
  /** From 0, in the order of the request's seeds. */
  index: number;
  /** Why the last of them failed, in the worker's words, if it said so. */
  reason?: string | null;
  state: "waiting" | "processing" | "done" | "faulted" | "cancelled" | "expired";
  /** The worker that makes it, or made it. */
  worker_id?: string | null;
  worker_name?: string | null;
}

export type JsonValue = unknown;

/** A model that makes pictures. */
export interface KnownImageModel {
  /** What it was trained from: this decides how it is loaded and priced. */
  baseline: string;
  /** What a request that names no other model gets where it says nothing: width, height, steps, cfg_scale. */
  defaults?: Record<string, JsonValue>;
  description: string;
  inpainting: boolean;
  name: string;
  /** Pixels of a side of the square pictures it was trained on. */
  native?: number | null;
  /** Whether it only changes source pictures. */
  needs_source: boolean;
  nsfw: boolean;
  /** Limits of a request for a good result (min_steps, samplers, ...). */
  requirements?: Record<string, JsonValue>;
  /** Prompts that it does well. */
  samples?: string[];
  style: string;
  /** `checkpoint`: one file; `diffusers`: a folder. */
  type: string;
}

/** A model that writes. */
export interface KnownTextModel {
  /** Parameters in billions. */
  billions: number;
  description: string;
  name: string;
  nsfw: boolean;
}

/** The proof that no kudos came from nowhere: each event sums to zero, balances are entries. */
export interface KudosAudit {
  /** Users' accounts, escrows included. */
  accounts: number;
  /** Whether nothing below is wrong. */
  balanced: boolean;
  /** Accounts whose stored balance is not the sum of their entries. */
  drifted_accounts: number;
  entries: number;
  /** Kudos; the sum of all entries of all accounts, 0.0 in a sound ledger. */
  entries_sum: number;
  events: number;
  /** How much of that is held for requests that are not settled yet. */
  held: number;
  /** Accounts whose held amount is not the sum of their holds. */
  holds_drift: number;
  /** The kudos of all users' accounts together, escrows included. */
  supply: number;
  /** Kudos in each system account (mint, burn, tax, forgiveness, ...), by its name. */
  system: Record<string, number>;
  /** Events whose entries do not sum to zero. */
  unbalanced_events: number;
  /** System accounts whose latest checkpoint is not the sum of the entries it stands for. */
  wrong_checkpoints: number;
}

/** The kudos were awarded. */
export interface KudosAwarded {
  awarded: number;
}

/** Who gets how many kudos. */
export interface KudosTransferInput {
  amount?: number;
  /** An alias, `name#id`; for a transfer also a shared key: its owner gets them. */
  username: string;
}

/** The kudos were given. */
export interface KudosTransferred {
  transferred: number;
}

/** The code that the page shows to a logged-in user. */
export interface LoginCodeInput {
  code: string;
}

/** The parameters of a request. */
export interface ModelGenerationInputKobold {
  /** Whether the prompt is what somebody says to the model: its own chat template is put around that, and the text is its answer (our extension). */
  chat?: boolean;
  dynatemp_exponent?: number;
  /** How far the temperature varies with the entropy of the next token. */
  dynatemp_range?: number;
  /** Whether a space is put before the text if the prompt does not end with one. */
  frmtadsnsp?: boolean;
  /** Whether blank lines are removed. */
  frmtrmblln?: boolean;
  /** Whether special characters are removed. */
  frmtrmspch?: boolean;
  /** Whether an incomplete last sentence is removed. */
  frmttriminc?: boolean;
  /** Tokens of prompt and text together; the beginning of a longer prompt is left out. */
  max_context_length?: number;
  /** The most tokens of the text. */
  max_length?: number;
  min_p?: number;
  /** How many texts. */
  n?: number;
  /** Divides the scores of tokens that occurred already. */
  rep_pen?: number;
  /** How many of the last tokens it considers; 0: all. */
  rep_pen_range?: number;
  /** How much less the older ones count. */
  rep_pen_slope?: number;
  /** The order of 0 top_k, 1 top_a, 2 top_p, 3 tfs, 4 typical, 5 temperature, 6 rep_pen. */
  sampler_order?: number[];
  /** Whether the text ends with its first line. */
  singleline?: boolean;
  /** Quadratic sampling. */
  smoothing_factor?: number;
  /** The text ends with the first of these, which is part of it. */
  stop_sequence?: string[];
  /** 0: always the most probable token. */
  temperature?: number;
  /** Tail-free sampling. */
  tfs?: number;
  top_a?: number;
  top_k?: number;
  top_p?: number;
  /** Locally typical sampling. */
  typical?: number;
  /** Whether the model may neither end the text nor write brackets. */
  use_default_badwordsids?: boolean;
}

/** The parameters of a request. */
export interface ModelGenerationInputStable {
  /** How strongly the prompt guides (at most two decimals). */
  cfg_scale?: number;
  /** Which of the text encoder's layers to use, counted from the last. */
  clip_skip?: number;
  control_type?: "canny" | "hed" | "depth" | "normal" | "openpose" | "seg" | "scribble" | "fakescribbles" | "hough";
  /** How much of a source picture is redrawn. */
  denoising_strength?: number;
  extra_texts?: ExtraText[];
  facefixer_strength?: number;
  /** Pixels. */
  height?: number;
  /** Whether to compose at the model's own size first and refine at the full one. */
  hires_fix?: boolean;
  hires_fix_denoising_strength?: number;
  /** Whether the source picture is a control map already. */
  image_is_control?: boolean;
  /** Whether to use the noise schedule of Karras et al. */
  karras?: boolean;
  loras?: ModelPayloadLorasStable[];
  /** How many pictures. */
  n?: number;
  /** Applied in this order. */
  post_processing?: ("GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer")[];
  /** Whether the control map is wanted instead of the picture. */
  return_control_map?: boolean;
  sampler_name?: "k_euler_a" | "k_euler" | "k_dpmpp_2m" | "k_dpmpp_2s_a" | "k_dpmpp_sde" | "k_heun" | "k_dpm_2" | "k_dpm_2_a" | "k_dpm_fast" | "k_dpm_adaptive" | "k_lms" | "dpmsolver" | "DDIM" | "lcm";
  /** Digits are the number itself, any other text stands for one; empty or absent is random. */
  seed?: string;
  /** How far apart the seeds of a request's pictures are. */
  seed_variation?: number;
  special?: Record<string, JsonValue>;
  /** If it is not set (`model_fields_set`), the server takes 20 with a `control_type`. */
  steps?: number;
  /** Whether the picture can be tiled. */
  tiling?: boolean;
  tis?: ModelPayloadTextualInversionsStable[];
  /** Whether the background is left out. */
  transparent?: boolean;
  /** Pixels. */
  width?: number;
  workflow?: "qr_code";
}

/** One form that is wanted. */
export interface ModelInterrogationFormStable {
  name: "caption" | "interrogation" | "nsfw" | "vectorize" | "palette" | "describe" | "aesthetic" | "GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer";
  payload?: Record<string, JsonValue>;
}

/** `POST interrogate/async`: what is wanted of a picture. */
export interface ModelInterrogationInputStable {
  forms?: ModelInterrogationFormStable[];
  /** False: only fast workers, at a surcharge. */
  slow_workers?: boolean;
  /** Base64, or a URL that starts with `http`, which goes to the worker as it is. */
  source_image: string;
  /** Only workers of trusted users. */
  trusted_workers?: boolean;
  /** An https URL that gets each result as it is finished. */
  webhook?: string;
}

/** What the worker has to write: `ModelPayloadRootKobold` with the prompt. */
export interface ModelPayloadKobold {
  chat?: boolean | null;
  dynatemp_exponent?: number;
  dynatemp_range?: number;
  frmtadsnsp?: boolean | null;
  frmtrmblln?: boolean | null;
  frmtrmspch?: boolean | null;
  frmttriminc?: boolean | null;
  max_context_length?: number;
  max_length?: number;
  min_p?: number;
  /** 1; each text is a job of its own. */
  n?: number | null;
  prompt?: string | null;
  rep_pen?: number | null;
  rep_pen_range?: number | null;
  rep_pen_slope?: number | null;
  sampler_order?: number[] | null;
  singleline?: boolean | null;
  smoothing_factor?: number;
  stop_sequence?: string[] | null;
  temperature?: number | null;
  tfs?: number | null;
  top_a?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  typical?: number | null;
  use_default_badwordsids?: boolean | null;
}

/** A low-rank adaptation to apply. */
export interface ModelPayloadLorasStable {
  /** How strongly the text encoder is adapted. */
  clip?: number;
  /** A trigger word for the prompt: the closest one known, or any one for `any`. */
  inject_trigger?: string;
  is_version?: boolean;
  /** How strongly the diffusion model is adapted. */
  model?: number;
  /** Its name or id; the version's id with `is_version`. */
  name: string;
}

/** What the worker has to make: one seed, prompt and set of parameters for the whole batch. */
export interface ModelPayloadStable {
  cfg_scale?: number;
  clip_skip?: number | null;
  control_type?: "canny" | "hed" | "depth" | "normal" | "openpose" | "seg" | "scribble" | "fakescribbles" | "hough" | null;
  ddim_steps?: number;
  denoising_strength?: number | null;
  extra_texts?: ExtraText[] | null;
  facefixer_strength?: number | null;
  height?: number;
  hires_fix?: boolean;
  hires_fix_denoising_strength?: number | null;
  image_is_control?: boolean;
  karras?: boolean;
  loras?: ModelPayloadLorasStable[] | null;
  /** How many pictures: as many as the answer has ids. */
  n_iter?: number;
  post_processing?: ("GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer")[] | null;
  prompt?: string | null;
  return_control_map?: boolean;
  sampler_name?: "k_euler_a" | "k_euler" | "k_dpmpp_2m" | "k_dpmpp_2s_a" | "k_dpmpp_sde" | "k_heun" | "k_dpm_2" | "k_dpm_2_a" | "k_dpm_fast" | "k_dpm_adaptive" | "k_lms" | "dpmsolver" | "DDIM" | "lcm";
  /** Digits; picture k of the batch gets seed + k * seed_variation (1 where absent). */
  seed?: string | null;
  seed_variation?: number | null;
  special?: Record<string, JsonValue> | null;
  tiling?: boolean;
  tis?: ModelPayloadTextualInversionsStable[] | null;
  transparent?: boolean;
  use_nsfw_censor?: boolean | null;
  width?: number;
  workflow?: "qr_code" | null;
}

/** A textual inversion (embedding) to apply. */
export interface ModelPayloadTextualInversionsStable {
  /** The prompt to which the worker adds its word; absent if the prompt has it already. */
  inject_ti?: "prompt" | "negprompt";
  name: string;
  strength?: number;
}

/** All known models; another horde can use it as its HORDE_MODEL_REFERENCE_URL. */
export interface ModelReference {
  image: KnownImageModel[];
  text: KnownTextModel[];
  version: number;
}

/** `POST styles/text`: a new style. */
export interface ModelStyleInputKobold {
  info?: string;
  models?: string[];
  name: string;
  nsfw?: boolean;
  params?: ModelStyleInputParamsKobold;
  /** {p} stands for the prompt of a request. */
  prompt?: string;
  public?: boolean;
  tags?: string[];
}

/** Parameters of a style for texts. */
export interface ModelStyleInputParamsKobold {
  /** Whether the prompt is what somebody says to the model: its own chat template is put around that, and the text is its answer (our extension). */
  chat?: boolean;
  dynatemp_exponent?: number;
  /** How far the temperature varies with the entropy of the next token. */
  dynatemp_range?: number;
  /** Whether a space is put before the text if the prompt does not end with one. */
  frmtadsnsp?: boolean;
  /** Whether blank lines are removed. */
  frmtrmblln?: boolean;
  /** Whether special characters are removed. */
  frmtrmspch?: boolean;
  /** Whether an incomplete last sentence is removed. */
  frmttriminc?: boolean;
  min_p?: number;
  /** Divides the scores of tokens that occurred already. */
  rep_pen?: number;
  /** How many of the last tokens it considers; 0: all. */
  rep_pen_range?: number;
  /** How much less the older ones count. */
  rep_pen_slope?: number;
  /** The order of 0 top_k, 1 top_a, 2 top_p, 3 tfs, 4 typical, 5 temperature, 6 rep_pen. */
  sampler_order?: number[];
  /** Whether the text ends with its first line. */
  singleline?: boolean;
  /** Quadratic sampling. */
  smoothing_factor?: number;
  /** The text ends with the first of these, which is part of it. */
  stop_sequence?: string[];
  /** 0: always the most probable token. */
  temperature?: number;
  /** Tail-free sampling. */
  tfs?: number;
  top_a?: number;
  top_k?: number;
  top_p?: number;
  /** Locally typical sampling. */
  typical?: number;
  /** Whether the model may neither end the text nor write brackets. */
  use_default_badwordsids?: boolean;
}

/** Parameters of a style for pictures. */
export interface ModelStyleInputParamsStable {
  cfg_scale?: number;
  clip_skip?: number;
  denoising_strength?: number;
  facefixer_strength?: number;
  /** Pixels; the request decides if it is absent. */
  height?: number;
  hires_fix?: boolean;
  hires_fix_denoising_strength?: number;
  karras?: boolean;
  loras?: ModelPayloadLorasStable[];
  post_processing?: ("GFPGAN" | "RealESRGAN_x4plus" | "RealESRGAN_x2plus" | "RealESRGAN_x4plus_anime_6B" | "NMKD_Siax" | "4x_AnimeSharp" | "CodeFormers" | "strip_background" | "4xNomos8kSC" | "4xLSDIRplus" | "4xNomosWebPhoto_RealPLKSR" | "4xNomos2_realplksr_dysample" | "4xNomos2_hq_dat2" | "2xModernSpanimationV1" | "GFPGANv1.3" | "RestoreFormer")[];
  sampler_name?: "k_euler_a" | "k_euler" | "k_dpmpp_2m" | "k_dpmpp_2s_a" | "k_dpmpp_sde" | "k_heun" | "k_dpm_2" | "k_dpm_2_a" | "k_dpm_fast" | "k_dpm_adaptive" | "k_lms" | "dpmsolver" | "DDIM" | "lcm";
  special?: Record<string, JsonValue>;
  steps?: number;
  tiling?: boolean;
  tis?: ModelPayloadTextualInversionsStable[];
  transparent?: boolean;
  /** Pixels; the request decides if it is absent. */
  width?: number;
  workflow?: "qr_code";
}

/** `POST styles/image`: a new style. */
export interface ModelStyleInputStable {
  info?: string;
  /** One to five. */
  models?: string[];
  name: string;
  /** Whether its results may be unsafe for work. */
  nsfw?: boolean;
  params?: ModelStyleInputParamsStable;
  /** {p} stands for the prompt of a request, {np} for its negative prompt. */
  prompt?: string;
  /** Whether it is listed. */
  public?: boolean;
  /** A shared key of yours that pays for everybody who uses the style. */
  sharedkey?: string;
  /** Ten at most. */
  tags?: string[];
}

/** `PATCH styles/text/{id}`: changes; absent fields stay as they are. */
export interface ModelStylePatchKobold {
  info?: string;
  models?: string[];
  name?: string;
  nsfw?: boolean;
  params?: ModelStyleInputParamsKobold;
  prompt?: string;
  public?: boolean;
  tags?: string[];
}

/** `PATCH styles/image/{id}`: changes; absent fields stay as they are. */
export interface ModelStylePatchStable {
  info?: string;
  models?: string[];
  name?: string;
  nsfw?: boolean;
  /** All parameters: those that are not given are removed. */
  params?: ModelStyleInputParamsStable;
  prompt?: string;
  public?: boolean;
  sharedkey?: string;
  tags?: string[];
}

/** The words that a model knows, in lower case. */
export interface ModelVocabulary {
  /** Words that say something of a thing: colours, sizes, styles, prepositions. */
  helping: string[];
  /** Words and phrases that change nothing. */
  idle: string[];
  /** Words it does not know, each with the thing that is drawn instead. */
  nearest: Record<string, string>;
  /** Where it draws it. */
  places: string[];
  /** What it draws. */
  things: string[];
  /** Other words and phrases it knows, plurals too, each with the thing or place. */
  words: Record<string, string>;
}

/** `PATCH reports/{id}`: what a moderator decided. */
export interface ModifyReport {
  closed: boolean;
  comment?: string;
}

/** A team after a change, as far as it was given. */
export interface ModifyTeam {
  id: string;
  info?: string | null;
  name?: string | null;
}

/** `PATCH teams/{id}`: changes. */
export interface ModifyTeamInput {
  info?: string;
  name?: string;
}

/** What was changed. */
export interface ModifyUser {
  admin_comment?: string | null;
  concurrency?: number | null;
  contact?: string | null;
  customizer?: boolean | null;
  education?: boolean | null;
  flagged?: boolean | null;
  moderator?: boolean | null;
  /** Afterwards, without what roles bring. */
  monthly_kudos?: number | null;
  /** The balance afterwards. */
  new_kudos?: number | null;
  new_suspicion?: number | null;
  /** 16 characters, shown only once. */
  proxy_passkey?: string | null;
  public_workers?: boolean | null;
  service?: boolean | null;
  special?: boolean | null;
  trusted?: boolean | null;
  undeleted?: boolean | null;
  usage_multiplier?: number | null;
  /** The new alias. */
  username?: string | null;
  vpn?: boolean | null;
  worker_invited?: number | null;
}

/** Changes of a user; absent fields stay. */
export interface ModifyUserInput {
  admin_comment?: string;
  /** Moderators, as for all fields below without another note. */
  concurrency?: number;
  /** The user too. */
  contact?: string;
  customizer?: boolean;
  /** Also lets more jobs wait at once. */
  education?: boolean;
  /** Obsolete: changes nothing. */
  filtered?: boolean;
  flagged?: boolean;
  /** The user too, if it is a service. */
  generate_proxy_passkey?: boolean;
  /** Admins: how many kudos to give, or to take if it is negative. */
  kudos?: number;
  /** Admins. */
  moderator?: boolean;
  /** Admins: how many kudos more each month, or less if it is negative. */
  monthly_kudos?: number;
  /** The user too. */
  public_workers?: boolean;
  reset_suspicion?: boolean;
  service?: boolean;
  special?: boolean;
  trusted?: boolean;
  /** The user too. */
  undelete?: boolean;
  /** Admins. */
  usage_multiplier?: number;
  /** The user too; at most 30 characters. */
  username?: string;
  vpn?: boolean;
  worker_invited?: number;
}

/** What was changed. */
export interface ModifyWorker {
  info?: string | null;
  maintenance?: boolean | null;
  name?: string | null;
  paused?: boolean | null;
  /** The team's name, or `None` for a worker that has left its team. */
  team?: string | null;
}

/** `PUT workers/{id}`: changes. */
export interface ModifyWorkerInput {
  info?: string;
  /** Whether the worker gets only its owner's jobs. */
  maintenance?: boolean;
  /** The message for `maintenance: true`. */
  maintenance_msg?: string;
  name?: string;
  /** Moderators: whether it gets fake jobs and does not notice. */
  paused?: boolean;
  /** A team's id; empty: none. */
  team?: string;
}

/** A monthly grant. */
export interface MonthlyKudos {
  amount?: number | null;
  last_received?: string | null;
}

/** News about the horde. */
export interface Newspiece {
  /** `YYYY-MM-DD`. */
  date_published: string;
  importance?: "Information" | "Warning" | "Critical";
  more_info_urls?: string[];
  /** The news, as Markdown. */
  newspiece: string;
  tags?: string[];
  title: string;
}

/** How many waiting forms the worker could not serve, by reason. */
export interface NoValidInterrogationsFound {
  bridge_version?: number | null;
  untrusted?: number | null;
  worker_id?: number | null;
}

/** How many waiting requests the worker could not serve, by reason. */
export interface NoValidRequestFoundKobold {
  blacklist?: number | null;
  bridge_version?: number | null;
  kudos?: number | null;
  matching_softprompt?: number | null;
  max_context_length?: number | null;
  max_length?: number | null;
  models?: number | null;
  nsfw?: number | null;
  performance?: number | null;
  untrusted?: number | null;
  worker_id?: number | null;
}

/** How many waiting requests the worker could not serve, by reason. */
export interface NoValidRequestFoundStable {
  blacklist?: number | null;
  bridge_version?: number | null;
  controlnet?: number | null;
  img2img?: number | null;
  kudos?: number | null;
  lora?: number | null;
  max_pixels?: number | null;
  models?: number | null;
  nsfw?: number | null;
  painting?: number | null;
  performance?: number | null;
  "post-processing"?: number | null;
  step_count?: number | null;
  unsafe_ip?: number | null;
  untrusted?: number | null;
  worker_id?: number | null;
}

/** Who is logged in, in the browser that asks. */
export interface PageLogin {
  /** For the `X-CSRF-Token` header: with it, and without a key, calls are the user's. */
  csrf_token: string;
  id?: number | null;
  /** `username#id`; absent if nobody is logged in. */
  username?: string | null;
}

/** Changes of a filter. */
export interface PatchExistingFilter {
  description?: string;
  filter_type?: number;
  regex?: string;
  replacement?: string;
}

/** What a worker that writes text declares. */
export interface PopInputKobold {
  /** Whether its models have chat templates (our extension). */
  allow_chat?: boolean;
  /** The most jobs of one request that it takes. */
  amount?: number;
  /** `name:version:url` of its program. */
  bridge_agent?: string;
  extra_slow_worker?: boolean;
  /** The most tokens of prompt and text together. */
  max_context_length?: number;
  /** The most tokens that it writes. */
  max_length?: number;
  models?: string[];
  /** The worker's name, unique among all workers. */
  name: string;
  /** Whether it serves requests that may be unsafe for work. */
  nsfw?: boolean;
  /** Aliases (`name#id`) whose requests go first. */
  priority_usernames?: string[];
  /** Whether it serves only requests that are paid in full. */
  require_upfront_kudos?: boolean;
  /** Names of the soft prompts that it has. */
  softprompts?: string[];
  /** How many jobs it works on at once. */
  threads?: number;
  /** Seconds to wait for work before the answer says that there is none (our extension). */
  wait?: number;
}

/** What a worker that makes pictures declares. */
export interface PopInputStable {
  /** Whether it serves requests that want unsafe pictures held back (our extension). */
  allow_censoring?: boolean;
  allow_controlnet?: boolean;
  allow_img2img?: boolean;
  allow_lora?: boolean;
  allow_painting?: boolean;
  allow_post_processing?: boolean;
  allow_sdxl_controlnet?: boolean;
  allow_unsafe_ipaddr?: boolean;
  /** What it has of what a switch above is off for: `control:canny`, `annotator:canny`, `post:RealESRGAN_x4plus`, `remix`, `extra_source_images`, `layer_diffuse`; and `qr_code`, for which there is no switch (our extension). */
  also?: string[];
  /** The most jobs of one request that it takes. */
  amount?: number;
  /** Words; it serves no prompts that contain them. */
  blacklist?: string[];
  /** `name:version:url` of its program. */
  bridge_agent?: string;
  extra_slow_worker?: boolean;
  /** Whether it refuses more steps than its models need. */
  limit_max_steps?: boolean;
  /** The largest area that it can make. */
  max_pixels?: number;
  models?: string[];
  /** The worker's name, unique among all workers. */
  name: string;
  /** Whether it serves requests that may be unsafe for work. */
  nsfw?: boolean;
  /** Aliases (`name#id`) whose requests go first. */
  priority_usernames?: string[];
  /** Whether it serves only requests that are paid in full. */
  require_upfront_kudos?: boolean;
  /** How many jobs it works on at once. */
  threads?: number;
  /** Seconds to wait for work before the answer says that there is none (our extension). */
  wait?: number;
}

/** A login of a program. */
export interface ProgramLogin {
  expires: string;
  id: number;
  /** Sent in the `apikey` header, as an API key is; shown this once. */
  token: string;
  /** `username#id`. */
  username: string;
}

/** How far the worker is with one job; nothing of it is told again on a new connection. */
export interface ProgressEvent {
  /** The job's. */
  index: number;
  /** What its picture will look like: a small WebP, as base64. */
  preview?: string | null;
  step: number;
  steps: number;
  /** What is written of it so far. */
  text?: string | null;
}

/** What the worker should know in return. */
export interface ProgressHeard {
  /** Jobs that are not the worker's any more: nobody waits for what it makes of them. */
  gone: string[];
  /** How long it may wait before it says so again. */
  seconds: number;
  /** Whether somebody may be looking on: previews and texts are of use. */
  watched: boolean;
}

/** Jobs of one request that are made together, and how far they are. */
export interface ProgressInput {
  jobs: JobAtWork[];
  /** How many steps are done; 0: they wait for their turn. */
  step?: number;
  /** How many there will be. */
  steps?: number;
}

/** A filter to be added. */
export interface PutNewFilter {
  description?: string;
  filter_type: number;
  /** A regular expression of RE2; letters match in either case. */
  regex: string;
  /** What replaces the match in a rewritten prompt (types 10 and 12). */
  replacement?: string;
}

/** A rating of somebody else's picture. */
export interface RatePostInput {
  rating: number;
  /** A number, or its name: FLAWLESS is 0, GARBAGE 5. */
  artifacts?: number | "FLAWLESS" | "LITTLE_FLAWS" | "SOME_FLAWS" | "OBVIOUS_FLAWS" | "HARMFUL_FLAWS" | "GARBAGE";
}

/** The rating is stored. */
export interface RatePostResponse {
  /** Kudos. */
  reward: number;
  message: string;
}

/** A request for an account. */
export interface RegisterInput {
  username: string;
}

/** A new account. */
export interface Registered {
  /** `username#id`. */
  alias: string;
  /** 22 URL-safe characters, shown only once. */
  api_key: string;
  id: number;
  username: string;
}

/** A report, for moderators. */
export interface ReportDetails {
  closed?: string | null;
  /** The moderator's alias. */
  closed_by?: string | null;
  comment?: string | null;
  created: string;
  id: number;
  kind: "picture" | "style" | "collection" | "user" | "worker" | "team";
  reason: string;
  /** The alias of who reported it. */
  reporter: string;
  /** The id of what is reported. */
  subject: string;
}

/** `POST reports`: a report that something shared is abuse. */
export interface ReportInput {
  /** Its id: a picture's is that of its generation. */
  id: string;
  /** What is reported; a name is reported with its bearer. */
  kind: "picture" | "style" | "collection" | "user" | "worker" | "team";
  reason: string;
}

/** The report is with the moderators. */
export interface ReportMade {
  id: number;
  message?: string;
}

/** What a worker reported about a picture, as `GenerationMetadataStable` took it. */
export interface ReportedMetadata {
  ref?: string | null;
  type: "lora" | "ti" | "censorship" | "source_image" | "source_mask" | "extra_source_images" | "batch_index" | "information" | "aesthetic_score";
  value: "download_failed" | "parse_failed" | "baseline_mismatch" | "csam" | "nsfw" | "see_ref";
}

/** What a worker reported about a text, as `GenerationMetadataKobold` took it. */
export interface ReportedMetadataKobold {
  ref?: string | null;
  type: "censorship";
  value: "csam";
}

/** 202: the request is queued. */
export interface RequestAsync {
  /** Whoever knows it may read and cancel the request. */
  id: string;
  /** The price of one picture before taxes, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  message?: string | null;
  /** Whether a call with this Idempotency-Key has queued it before. Not without a key. Ours. */
  repeated?: boolean | null;
  warnings?: RequestSingleWarning[] | null;
}

/** Any error: `rc` is absent if no domain rule refused (rate limits, bad JSON, 405, 500). */
export interface RequestError {
  message: string;
  rc?: string | null;
}

/** 202: the forms are queued. */
export interface RequestInterrogationResponse {
  /** Whoever knows it may read and cancel the request. */
  id: string;
  message?: string | null;
}

/** Why an accepted request may not turn out well. */
export interface RequestSingleWarning {
  /** Or `UnknownWords`, which is ours: a small model does not know words of the prompt. */
  code: "NoAvailableWorker" | "ClipSkipMismatch" | "StepsTooFew" | "StepsTooMany" | "CfgScaleMismatch" | "CfgScaleTooSmall" | "CfgScaleTooLarge" | "SamplerMismatch" | "SchedulerMismatch";
  message: string;
}

/** The status of a request. */
export interface RequestStatusCheck {
  done: boolean;
  faulted?: boolean;
  /** The results that workers failed at, if any. Ours. */
  faults?: JobFault[] | null;
  /** Pictures delivered. */
  finished: number;
  /** Whether a worker that is online could take it. */
  is_possible?: boolean;
  /** Consumed so far, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  /** Pictures that a worker is making. */
  processing: number;
  /** From 1; 0 if nothing is waiting. */
  queue_position: number;
  /** How often a worker failed at a picture; these are waiting again. */
  restarted: number;
  /** Seconds, estimated. */
  wait_time: number;
  /** Pictures that no worker has taken yet. */
  waiting: number;
}

/** The status of a request, with its finished results. */
export interface RequestStatusKobold {
  done: boolean;
  faulted?: boolean;
  /** The results that workers failed at, if any. Ours. */
  faults?: JobFault[] | null;
  /** Pictures delivered. */
  finished: number;
  generations: GenerationKobold[];
  /** Whether a worker that is online could take it. */
  is_possible?: boolean;
  /** Consumed so far, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  /** Pictures that a worker is making. */
  processing: number;
  /** From 1; 0 if nothing is waiting. */
  queue_position: number;
  /** How often a worker failed at a picture; these are waiting again. */
  restarted: number;
  /** Seconds, estimated. */
  wait_time: number;
  /** Pictures that no worker has taken yet. */
  waiting: number;
}

/** The status of a request, with its finished results. */
export interface RequestStatusStable {
  done: boolean;
  faulted?: boolean;
  /** The results that workers failed at, if any. Ours. */
  faults?: JobFault[] | null;
  /** Pictures delivered. */
  finished: number;
  generations: GenerationStable[];
  /** Whether a worker that is online could take it. */
  is_possible?: boolean;
  /** Consumed so far, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  /** Pictures that a worker is making. */
  processing: number;
  /** From 1; 0 if nothing is waiting. */
  queue_position: number;
  /** How often a worker failed at a picture; these are waiting again. */
  restarted: number;
  shared?: boolean;
  /** Seconds, estimated. */
  wait_time: number;
  /** Pictures that no worker has taken yet. */
  waiting: number;
}

/** Status 400: everything that is wrong with the body, by dotted path. */
export interface RequestValidationError {
  errors: Record<string, string>;
  message?: string;
}

/** Styles of which a request gets a random one. */
export interface ResponseModelCollection {
  id: string;
  info?: string | null;
  name: string;
  public?: boolean;
  styles?: ResponseModelStylesShort[];
  type: "image" | "text";
  use_count: number;
}

/** A message, as everybody else sees it. */
export interface ResponseModelMessage {
  created: string;
  expiry: string;
  id: string;
  message: string;
  /** The name under which it is sent: as its author chose, else the author's id. */
  origin?: string | null;
  /** Who wrote it. */
  user_id: string;
  /** Left out if it is for all workers. */
  worker_id?: string | null;
}

/** A message, as a worker gets it with a pop. */
export interface ResponseModelMessagePop {
  expiry: string;
  id: string;
  message: string;
  /** The name under which it is sent: as its author chose, else the author's id. */
  origin?: string | null;
}

/** `POST workers/messages`: a message for a worker, sent with its pops. */
export interface ResponseModelMessage__Input {
  /** Hours. */
  expiry?: number;
  message: string;
  /** The name under which it is sent; the author's id if absent. */
  origin?: string;
  /** Moderators may leave it out: then it is for all workers. */
  worker_id?: string;
}

/** A style in a collection. */
export interface ResponseModelStylesShort {
  id: string;
  /** `user#id::style::name`. */
  name: string;
}

/** One of the user's styles. */
export interface ResponseModelStylesUser {
  id: string;
  /** `user#id::style::name`. */
  name: string;
  type: "image" | "text";
}

/** A shared key, for everybody who knows its id. */
export interface SharedKeyDetails {
  /** When it expires; left out if it never does. */
  expiry?: string | null;
  id: string;
  /** How many kudos may still be spent; -1: as many as the owner has. */
  kudos: number;
  max_image_pixels: number;
  max_image_steps: number;
  max_text_tokens: number;
  name?: string | null;
  /** The owner's alias. */
  username: string;
  /** Kudos spent with it. */
  utilized: number;
}

/** The settings of a shared key; in a change, absent ones stay. */
export interface SharedKeyInput {
  /** Days from now until it expires; -1: it never expires. */
  expiry?: number;
  /** How many kudos may be spent with it; -1: as many as the owner has. */
  kudos?: number;
  /** Width times height; here and below -1 means no limit, and 0 forbids it. */
  max_image_pixels?: number;
  max_image_steps?: number;
  max_text_tokens?: number;
  name?: string;
}

/** A picture that was given to the data set. */
export interface SharedPictureDetails {
  created: string;
  /** The id of the generation. */
  id: string;
  model: string;
  params: Record<string, JsonValue>;
  prompt: string;
  rating_count: number;
  request: string;
  seed: string;
  /** Lives 30 minutes. */
  url: string;
}

/** It is done. */
export interface SimpleResponse {
  message?: string;
}

/** Pictures made within a period. */
export interface SinglePeriodImgStat {
  images: number;
  /** Pixels times steps. */
  ps: number;
}

/** Texts written within a period. */
export interface SinglePeriodTxtStat {
  requests: number;
  tokens: number;
}

/** Pictures made, by period. */
export interface StatsImgTotals {
  day: SinglePeriodImgStat;
  hour: SinglePeriodImgStat;
  minute: SinglePeriodImgStat;
  month: SinglePeriodImgStat;
  total: SinglePeriodImgStat;
}

/** Texts written, by period. */
export interface StatsTxtTotals {
  day: SinglePeriodTxtStat;
  hour: SinglePeriodTxtStat;
  minute: SinglePeriodTxtStat;
  month: SinglePeriodTxtStat;
  total: SinglePeriodTxtStat;
}

/** Something has changed. */
export interface StatusEvent {
  done: boolean;
  faulted?: boolean;
  /** The results that workers failed at, if any. Ours. */
  faults?: JobFault[] | null;
  /** Pictures delivered. */
  finished: number;
  /** Whether a worker that is online could take it. */
  is_possible?: boolean;
  jobs?: JobProgress[];
  /** Consumed so far, in whole kudos. */
  kudos: number;
  /** The same, exact to the hundredth. Ours. */
  kudos_exact?: number | null;
  /** Pictures that a worker is making. */
  processing: number;
  /** From 1; 0 if nothing is waiting. */
  queue_position: number;
  /** How often a worker failed at a picture; these are waiting again. */
  restarted: number;
  /** Seconds, estimated. */
  wait_time: number;
  /** Pictures that no worker has taken yet. */
  waiting: number;
}

/** A picture on the web that shows what a style does. */
export interface StyleExample {
  id: string;
  primary?: boolean;
  url: string;
}

/** A style for texts. */
export interface StyleKobold {
  /** The owner's alias. */
  creator: string;
  id: string;
  info?: string | null;
  models?: string[];
  name: string;
  nsfw?: boolean;
  params?: ModelStyleInputParamsKobold;
  prompt?: string;
  public?: boolean;
  tags?: string[];
  use_count: number;
}

/** It is done. */
export interface StyleModify {
  /** Of the style, the collection or the example. */
  id: string;
  message?: string;
  /** Why a style's results may not turn out well. */
  warnings?: RequestSingleWarning[];
}

/** A style for pictures. */
export interface StyleStable {
  /** The owner's alias. */
  creator: string;
  examples?: StyleExample[];
  id: string;
  info?: string | null;
  models?: string[];
  name: string;
  nsfw?: boolean;
  params?: ModelStyleInputParamsStable;
  prompt?: string;
  public?: boolean;
  /** The shared key that pays for everybody who uses the style. */
  shared_key?: SharedKeyDetails | null;
  /** The id of `shared_key`. */
  sharedkey?: string | null;
  tags?: string[];
  use_count: number;
}

/** What a worker submits for a text, which is its `generation`. */
export interface SubmitInputKobold {
  gen_metadata?: GenerationMetadataKobold[];
  generation: string;
  /** The job's id, from the pop. */
  id: string;
  /** Why it is given back, for the requester; without it the notes in `gen_metadata` say so. Ours. */
  reason?: string;
  /** The seed that it was written with; 0 if the worker cannot tell. */
  seed?: number;
  /** `faulted` gives the job back. */
  state?: "ok" | "censored" | "faulted" | "csam";
}

/** What a worker submits for a picture. */
export interface SubmitInputStable {
  /** Without effect: `gen_metadata` reports censorship. */
  censored?: boolean;
  gen_metadata?: GenerationMetadataStable[];
  /** The result: for a picture `R2` once it is uploaded, else base64 WebP. */
  generation: string;
  /** The job's id, from the pop. */
  id: string;
  /** Why it is given back, for the requester; without it the notes in `gen_metadata` say so. Ours. */
  reason?: string;
  seed: number;
  /** `faulted` gives the job back. */
  state?: "ok" | "censored" | "faulted" | "csam";
}

/** A team and what its workers did while they were in it. */
export interface TeamDetails {
  /** The alias of the user who may change it. */
  creator: string;
  id?: string | null;
  info?: string | null;
  kudos: number;
  /** The models that its online workers serve, and how many do. */
  models?: ActiveModelLite[];
  name?: string | null;
  requests_fulfilled: number;
  /** Seconds. */
  uptime: number;
  worker_count: number;
  workers?: WorkerDetailsLite[];
}

/** A worker's team; both are None for a worker without one. */
export interface TeamDetailsLite {
  id?: string | null;
  name?: string | null;
}

/** How many texts each model wrote, by the model's name. */
export interface TxtModelStats {
  day: Record<string, number>;
  month: Record<string, number>;
  total: Record<string, number>;
}

/** Obsolete, always null: `records` has it. */
export interface UsageDetails {
  megapixelsteps?: number | null;
  requests?: number | null;
}

/** The ids of requests that are not settled yet. */
export interface UserActiveGenerations {
  alchemy?: string[] | null;
  image?: string[] | null;
  text?: string[] | null;
}

/** How many, for each kind. */
export interface UserAmountRecords {
  image?: number;
  interrogation?: number;
  text?: number;
}

/** A user, as public, owner or moderators may see them: hidden fields are None. */
export interface UserDetails {
  /** Seconds. */
  account_age: number;
  /** Owner. */
  active_generations?: UserActiveGenerations | null;
  /** Moderators. */
  admin_comment?: string | null;
  /** How many jobs may wait at once. */
  concurrency: number;
  /** Owner. */
  contact?: string | null;
  contributions?: ContributionsDetails;
  customizer: boolean;
  deleted: boolean;
  education: boolean;
  /** Moderators: kudos held back until the user is trusted. */
  evaluating_kudos?: number | null;
  flagged: boolean;
  id: number;
  kudos: number;
  kudos_details?: UserKudosDetails;
  moderator: boolean;
  /** Moderators. */
  monthly_kudos?: MonthlyKudos | null;
  /** Moderators. */
  proxy_passkey?: string | null;
  /** Whether the user registered without a login service. */
  pseudonymous: boolean;
  records?: UserRecords;
  service: boolean;
  /** Owner. */
  sharedkey_ids?: string[] | null;
  /** Owner. */
  special?: boolean | null;
  styles?: ResponseModelStylesUser[];
  /** Moderators. */
  suspicious?: number | null;
  trusted: boolean;
  usage?: UsageDetails;
  /** The alias, `name#id`. */
  username: string;
  /** Owner. */
  vpn?: boolean | null;
  worker_count: number;
  /** Owner, or everybody if the user publishes their workers. */
  worker_ids?: string[] | null;
  worker_invited: number;
}

/** Everything that is stored about a user; the ledger's entries page by page, latest first. */
export interface UserExport {
  account: ExportedAccount;
  /** The user as they see themselves, totals of requests and work included. */
  details: UserDetails;
  entries: ExportedEntry[];
  /** Send it as `before` to get older entries; None if there are no more. */
  entries_before: number | null;
  /** Workers, requests that have not expired, styles and so on, row by row as they are stored: times in UTC, kudos in hundredths. At most 1000 of each. */
  kept: Record<string, (Record<string, unknown>)[]>;
}

/** Where a user's kudos came from and went, each since registration. */
export interface UserKudosDetails {
  accumulated?: number;
  admin?: number;
  awarded?: number;
  donated?: number;
  gifted?: number;
  received?: number;
  recurring?: number;
  styled?: number;
}

/** A user's use and contribution. */
export interface UserRecords {
  contribution?: UserThingRecords;
  fulfillment?: UserAmountRecords;
  request?: UserAmountRecords;
  style?: UserAmountRecords;
  usage?: UserThingRecords;
}

/** How much was made: pictures in millions of pixels times steps, text in tokens. */
export interface UserThingRecords {
  megapixelsteps?: number;
  tokens?: number;
}

/** The key that signs the caller's webhooks. */
export interface WebhookKey {
  /** 64 hexadecimal digits: the HMAC-SHA256 key is this text. */
  key: string;
}

/** A worker. Absent fields do not apply to its type, or the caller may not see them. */
export interface WorkerDetails {
  /** `name:version:url` of its program. */
  bridge_agent?: string;
  /** Moderators. */
  contact?: string | null;
  controlnet?: boolean | null;
  flagged: boolean;
  /** The forms that an alchemist offers. */
  forms?: string[] | null;
  id: string;
  img2img?: boolean | null;
  info?: string | null;
  /** Moderators. */
  ipaddr?: string | null;
  kudos_details?: WorkerKudosDetails;
  kudos_rewards: number;
  lora?: boolean | null;
  maintenance_mode: boolean;
  /** The most tokens that it reads. */
  max_context_length?: number | null;
  /** The most tokens that a text worker writes. */
  max_length?: number | null;
  max_pixels?: number | null;
  megapixelsteps_generated?: number | null;
  /** The messages that the worker gets at present, if `owner` is shown too. */
  messages?: ResponseModelMessage[] | null;
  models?: string[] | null;
  name: string;
  nsfw?: boolean;
  /** Whether it was seen in the last 300 seconds. */
  online: boolean;
  /** The owner's alias, if they publish their workers, or for moderators. */
  owner?: string | null;
  painting?: boolean | null;
  /** Moderators. */
  paused?: boolean | null;
  /** A sentence, such as `1.0 megapixelsteps per second`. */
  performance: string;
  "post-processing"?: boolean | null;
  requests_fulfilled: number;
  sdxl_controlnet?: boolean | null;
  /** Moderators. */
  suspicious?: number | null;
  team?: TeamDetailsLite;
  threads: number;
  tokens_generated?: number | null;
  trusted: boolean;
  type: "image" | "text" | "interrogation";
  uncompleted_jobs: number;
  /** Seconds. */
  uptime: number;
}

/** The worker. */
export interface WorkerDetailsLite {
  id: string;
  name: string;
  /** Whether it was seen in the last 300 seconds. */
  online: boolean;
  type: "image" | "text" | "interrogation";
}

/** What a worker earned, in kudos. */
export interface WorkerKudosDetails {
  /** By jobs. */
  generated?: number | null;
  /** By being online. */
  uptime?: number | null;
}
