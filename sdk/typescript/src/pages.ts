/** A page as it is answered. */
export interface PageBody<Row> {
  data: Row[];
  nextCursor: string | null;
}

/**
 * A list that is fetched page by page, as far as it is read: `for await (const row of list)`. Nothing is asked before.
 */
export class Pages<Row, Page extends PageBody<Row>> implements AsyncIterable<Row> {
  constructor(
    private readonly fetchPage: (cursor: string | undefined) => Promise<Page>,
    private readonly begin?: string,
  ) {}

  /** The first page, as it was answered. */
  page(): Promise<Page> {
    return this.fetchPage(this.begin);
  }

  /** All pages, one after the other. */
  async *pages(): AsyncGenerator<Page, void, undefined> {
    let cursor = this.begin;
    do {
      const page = await this.fetchPage(cursor);
      yield page;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }
}
