//! The languages whose code has colours: what their comments, strings and keywords look like.

pub struct Language {
    /// After the fence, in lower case.
    pub names: &'static [&'static str],
    pub keywords: &'static str,
    /// What begins a comment to the end of the line.
    pub line: &'static [&'static str],
    /// Begin, end and class of what may go over lines. Without its end it goes on to the end of the code.
    pub long: &'static [(&'static str, &'static str, Class)],
    /// What `'` is there; `"` is a string's everywhere.
    pub apostrophe: Apostrophe,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Apostrophe {
    Quote,
    /// `'x'` and `'\n'` only: `'a` is a lifetime.
    Character,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Usual,
    /// Keywords in either case.
    AnyCase,
    /// Tags are keywords, and only in them are strings.
    Markup,
    /// Lines by their first character.
    Diff,
}

pub type Class = &'static str;
pub const KEYWORD: Class = "hl-k";
pub const STRING: Class = "hl-s";
pub const COMMENT: Class = "hl-c";
pub const NUMBER: Class = "hl-n";
pub const INSERTED: Class = "hl-i";
pub const DELETED: Class = "hl-d";

const BASE: Language =
    Language { names: &[], keywords: "", line: &[], long: &[], apostrophe: Apostrophe::Quote, kind: Kind::Usual };
const C_LIKE: Language =
    Language { line: &["//"], long: &[("/*", "*/", COMMENT)], apostrophe: Apostrophe::Character, ..BASE };
const HASH: Language = Language { line: &["#"], ..BASE };

pub static LANGUAGES: &[Language] = &[
    Language {
        names: &["rust", "rs"],
        keywords: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop \
                   match mod move mut pub ref return self Self static struct super trait true type unsafe use where \
                   while",
        long: &[("/*", "*/", COMMENT), ("r#\"", "\"#", STRING)],
        ..C_LIKE
    },
    Language {
        names: &["python", "py"],
        keywords: "and as assert async await break case class continue def del elif else except False finally for from \
                   global if import in is lambda match None nonlocal not or pass raise return True try while with \
                   yield",
        long: &[("\"\"\"", "\"\"\"", STRING), ("'''", "'''", STRING)],
        ..HASH
    },
    Language {
        names: &["javascript", "js", "jsx", "typescript", "ts", "tsx"],
        keywords: "abstract any as async await boolean break case catch class const continue declare default delete do \
                   else enum export extends false finally for from function if implements import in instanceof \
                   interface let new null number of private protected public readonly return static string super \
                   switch this throw true try type typeof undefined var void while yield",
        long: &[("/*", "*/", COMMENT), ("`", "`", STRING)],
        apostrophe: Apostrophe::Quote,
        ..C_LIKE
    },
    Language { names: &["json"], keywords: "false null true", ..BASE },
    Language {
        names: &["go"],
        keywords: "any bool break byte case chan const continue default defer else error fallthrough false float64 for \
                   func go goto if import int int64 interface map nil package range return rune select string struct \
                   switch true type uint64 var",
        long: &[("/*", "*/", COMMENT), ("`", "`", STRING)],
        ..C_LIKE
    },
    Language {
        names: &["java"],
        keywords: "abstract boolean break byte case catch char class const continue default do double else enum \
                   extends false final finally float for if implements import instanceof int interface long native new \
                   null package private protected public record return short static super switch synchronized this \
                   throw throws true try var void volatile while",
        long: &[("/*", "*/", COMMENT), ("\"\"\"", "\"\"\"", STRING)],
        ..C_LIKE
    },
    Language {
        names: &["c", "h", "cpp", "c++", "hpp"],
        keywords: "auto bool break case catch char class const constexpr continue default define delete do double else \
                   endif enum extern false float for friend if ifdef ifndef include inline int long namespace new \
                   noexcept nullptr operator override private protected public register return short signed sizeof \
                   static struct switch template this throw true try typedef typename union unsigned using virtual \
                   void volatile while",
        ..C_LIKE
    },
    Language {
        names: &["csharp", "cs", "c#"],
        keywords: "abstract as async await base bool break byte case catch char class const continue decimal default \
                   delegate do double else enum event false finally float for foreach get if in int interface internal \
                   is lock long namespace new null object out override params private protected public readonly record \
                   ref return sealed set static string struct switch this throw true try typeof using var virtual void \
                   while yield",
        ..C_LIKE
    },
    Language {
        names: &["kotlin", "kt"],
        keywords: "abstract as break by class companion const continue data do else enum false final finally for fun \
                   if import in interface internal is lateinit null object open override package private protected \
                   public return sealed super suspend this throw true try typealias val var when while",
        long: &[("/*", "*/", COMMENT), ("\"\"\"", "\"\"\"", STRING)],
        ..C_LIKE
    },
    Language {
        names: &["swift"],
        keywords: "as async await break case catch class continue default defer do else enum extension false \
                   fileprivate final for func guard if import in init inout internal is let mutating nil open override \
                   private protocol public return self Self static struct super switch throw throws true try typealias \
                   var where while",
        long: &[("/*", "*/", COMMENT), ("\"\"\"", "\"\"\"", STRING)],
        ..C_LIKE
    },
    Language {
        names: &["ruby", "rb"],
        keywords: "alias and begin break case class def do else elsif end ensure false for if in module next nil not \
                   or redo require rescue retry return self super then true undef unless until when while yield",
        long: &[("\n=begin", "\n=end", COMMENT)],
        ..HASH
    },
    Language {
        names: &["php"],
        keywords: "abstract array as break case catch class clone const continue declare default do echo else elseif \
                   empty enum extends false final finally fn for foreach function global if implements include \
                   instanceof interface isset match namespace new null print private protected public readonly require \
                   return static switch this throw trait true try unset use var while yield",
        line: &["//", "#"],
        apostrophe: Apostrophe::Quote,
        ..C_LIKE
    },
    Language {
        names: &["bash", "sh", "shell", "zsh"],
        keywords: "alias break case cd continue do done echo elif else esac eval exec exit export fi for function if \
                   in local read readonly return set shift source then trap unset until while",
        ..HASH
    },
    Language {
        names: &["sql"],
        keywords: "add all alter and as asc begin between by case check column commit constraint create cross database \
                   default delete desc distinct drop else end exists explain foreign from full group having if in \
                   index inner insert into is join key left like limit not null offset on or order outer primary \
                   references returning right rollback select set table then transaction union unique update using \
                   values view when where with",
        line: &["--"],
        long: &[("/*", "*/", COMMENT)],
        kind: Kind::AnyCase,
        ..BASE
    },
    Language { names: &["html", "xml", "svg"], long: &[("<!--", "-->", COMMENT)], kind: Kind::Markup, ..BASE },
    Language {
        names: &["css"],
        keywords: "and charset container from important import keyframes layer media not only page property supports \
                   to",
        long: &[("/*", "*/", COMMENT)],
        ..BASE
    },
    Language { names: &["yaml", "yml"], keywords: "false no null off on true yes", ..HASH },
    Language {
        names: &["toml"],
        keywords: "false inf nan true",
        long: &[("\"\"\"", "\"\"\"", STRING), ("'''", "'''", STRING)],
        ..HASH
    },
    Language { names: &["diff", "patch"], kind: Kind::Diff, ..BASE },
];
