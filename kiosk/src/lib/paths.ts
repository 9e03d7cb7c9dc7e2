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

/** What a call must be told. */
export type Given<M extends Method, Path> = Places<Operation<M, Path>> &
  Query<Operation<M, Path>> &
  Body<Operation<M, Path>> &
  Version<M> &
  Asking;

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

/** A call: whoever calls may say what more is known of the answer than the document says, and nothing that contradicts it. */
export type Call<M extends Method> = <
  Path extends PathOf<M>,
  T extends Answer<M, Path>,
  Made extends Given<M, Path> = Given<M, Path>,
>(
  path: Path,
  ...given: object extends Given<M, Path>
    ? [given?: Made & NothingMore<Made, Given<M, Path>>]
    : [given: Made & NothingMore<Made, Given<M, Path>>]
) => Promise<T>;

/** The paths whose answer is a list. */
export type ListPath = {
  [Path in PathOf<'get'>]: Answer<'get', Path> extends { items: unknown[] } ? Path : never;
}[PathOf<'get'>];
export type Item<Path> = Answer<'get', Path> extends { items: (infer One)[] } ? One : never;
