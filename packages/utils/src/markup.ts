/** HTML that is safe to send: what `markup` made, or a constant of ours. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand between the pieces of a template: text, which is escaped; markup, which is not; several of them; nothing. */
export type Piece = string | number | Markup | Piece[] | undefined | false

/** Writes HTML as a template; whatever is put into it is escaped unless it was made here. */
export function markup({ raw }: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(raw.map((fixed, index) => fixed + textOf(pieces[index])).join(''))
}

function textOf(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (piece instanceof Markup) return piece.text
  if (Array.isArray(piece)) return piece.map(textOf).join('')
  return String(piece).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
