// Which paths the box's document has, and what each is told and answers, as types.
// Invariant: a path, a parameter or a body that the document does not have is an error of the type checker.
import type { paths } from './schema';

export type Method = 'get' | 'post' | 'patch' | 'delete';

/** The paths without the part that all of them share. */
type Routes = { [Path in keyof paths as Path extends `/api/v1/prm/${infer Rest}` ? Rest : never]: paths[Path] };

/** The paths that have a method. */
export type PathOf<M extends Method> = {
  [Path in keyof Routes]: Routes[Path] extends Record<M, object> ? Path : never;
}[keyof Routes];

type Operation<M extends Method, Path> = Path extends keyof Routes
  ? Routes[Path] extends Record<M, infer Found>
    ? Found
    : never
  : never;

/** How a call is made, whatever it asks. */
export interface Asking {
  signal?: AbortSignal;
}

/** Query parameters; those that are null are left out. */
type Asked<Query> = { [Name in keyof Query]: Query[Name] | null | undefined };

type Places<Of> = Of extends { parameters: { path: infer Path } } ? { path: Path } : { path?: never };
type Query<Of> = Of extends { parameters: { query?: infer Found } }
  ? [NonNullable<Found>] extends [never]
    ? { query?: never }
    : { query?: Asked<Found> }
  : { query?: never };
type Body<Of> = Of extends { requestBody: { content: { 'application/json': infer Found } } } ? { body: Found } : { body?: never };
/** The version that a change is meant for; another one there answers 412 `stale`. A PATCH always says it. */
type Version<M extends Method> = M extends 'patch' ? { ifMatch: number } : M extends 'delete' ? { ifMatch?: number } : { ifMatch?: never };

/** Path by path: all parts at once would be more combinations than the type checker counts. */
type EveryGiven<M extends Method> = {
  [Path in PathOf<M>]: Places<Operation<M, Path>> &
    Query<Operation<M, Path>> &
    Body<Operation<M, Path>> &
    Version<M> &
    Asking;
};

/** Whether a call must be told anything, path by path for the same reason. */
type Needs<M extends Method> = { [Path in PathOf<M>]: object extends EveryGiven<M>[Path] ? false : true };

/** What a call must be told. */
export type Given<M extends Method, Path extends PathOf<M>> = EveryGiven<M>[Path];

type Content<Response> = Response extends { content: { 'application/json': infer Found } } ? Found : void;
type Good<Responses> = Responses[Extract<keyof Responses, 200 | 201 | 204>];

/** What a call answers when it was done. */
export type Answer<M extends Method, Path> =
  Operation<M, Path> extends { responses: infer Responses } ? Content<Good<Responses>> : never;

/** Refuses, in what is made, each member of the body that is not wanted there. */
type NothingMore<Made, Wanted> = Made extends { body: infer Body }
  ? Wanted extends { body: infer Known }
    ? { body: { [Name in Exclude<keyof Body, keyof Known>]?: never } }
    : { body?: never }
  : unknown;

/**
 * The calls: whoever calls may say what more is known of the answer than the document says, and nothing that contradicts it.
 * Method by method: one type for all would be more combinations than the type checker counts.
 */
interface Calls {
  get: <
    Path extends PathOf<'get'>,
    T extends Answer<'get', Path>,
    Made extends Given<'get', Path> = Given<'get', Path>,
  >(
    path: Path,
    ...given: Needs<'get'>[Path] extends false
      ? [given?: Made & NothingMore<Made, Given<'get', Path>>]
      : [given: Made & NothingMore<Made, Given<'get', Path>>]
  ) => Promise<T>;
  post: <
    Path extends PathOf<'post'>,
    T extends Answer<'post', Path>,
    Made extends Given<'post', Path> = Given<'post', Path>,
  >(
    path: Path,
    ...given: Needs<'post'>[Path] extends false
      ? [given?: Made & NothingMore<Made, Given<'post', Path>>]
      : [given: Made & NothingMore<Made, Given<'post', Path>>]
  ) => Promise<T>;
  patch: <
    Path extends PathOf<'patch'>,
    T extends Answer<'patch', Path>,
    Made extends Given<'patch', Path> = Given<'patch', Path>,
  >(
    path: Path,
    ...given: Needs<'patch'>[Path] extends false
      ? [given?: Made & NothingMore<Made, Given<'patch', Path>>]
      : [given: Made & NothingMore<Made, Given<'patch', Path>>]
  ) => Promise<T>;
  delete: <
    Path extends PathOf<'delete'>,
    T extends Answer<'delete', Path>,
    Made extends Given<'delete', Path> = Given<'delete', Path>,
  >(
    path: Path,
    ...given: Needs<'delete'>[Path] extends false
      ? [given?: Made & NothingMore<Made, Given<'delete', Path>>]
      : [given: Made & NothingMore<Made, Given<'delete', Path>>]
  ) => Promise<T>;
}

/** A call by one method. */
export type Call<M extends Method> = Calls[M];

/** The paths whose answer is a list. */
export type ListPath = {
  [Path in PathOf<'get'>]: Answer<'get', Path> extends { items: unknown[] } ? Path : never;
}[PathOf<'get'>];
export type Item<Path> = Answer<'get', Path> extends { items: (infer One)[] } ? One : never;
