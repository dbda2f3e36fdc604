//! Words that carry no topic, for the four languages that the summariser knows.

use std::collections::HashSet;

use whatlang::Lang;

/// A language with a list of stop words, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
    Spanish,
    /// No list: frequent words count as topics there, which is worse and still works.
    Other,
}

/// Detection needs no more than this much of a text.
const SAMPLE_CHARS: usize = 4_000;

impl Language {
    pub fn of(text: &str) -> Self {
        let end = text.char_indices().nth(SAMPLE_CHARS).map_or(text.len(), |(at, _)| at);
        match whatlang::detect_lang(&text[..end]) {
            Some(Lang::Eng) => Language::English,
            Some(Lang::Deu) => Language::German,
            Some(Lang::Fra) => Language::French,
            Some(Lang::Spa) => Language::Spanish,
            Some(_) | None => Language::Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "German",
            Language::French => "French",
            Language::Spanish => "Spanish",
            Language::Other => "other",
        }
    }

    /// The stop words in lower case.
    pub fn stop_words(self) -> HashSet<&'static str> {
        let list = match self {
            Language::English => ENGLISH,
            Language::German => GERMAN,
            Language::French => FRENCH,
            Language::Spanish => SPANISH,
            Language::Other => "",
        };
        list.split_whitespace().collect()
    }
}

const ENGLISH: &str = "
    a about above after again against all almost already also although always am among an and another any are aren't
    around as at be because been before being below between both but by can can't cannot could did didn't do does
    doesn't doing don't done down during each either else enough even ever every few first for from further get gets
    give given gives go goes good had has hasn't have haven't having he her here hers herself him himself his how however i i'm
    if in into is isn't it its itself just keep kept less let like long longer made make makes many may me might mine more most
    much must my myself near never new next no nor not nothing now of off often on once one only onto or other others
    our ours ourselves out over own per perhaps put quite rather same say says see seem seems seen several shall she
    should since so some something soon still such take taken takes than that that's the their theirs them themselves then
    there these they they're thing things this those though three through thus to together too toward towards two
    under until up upon us use used uses using very via want was wasn't way we well went were what when where whether
    which while who whom whose why will with within without won't would yet you your yours yourself yourselves";

const GERMAN: &str = "
    ab aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes auch auf aus bei beim
    beiden bereits bin bis bisher bist da dabei dadurch dafür dagegen daher damit danach dann daran darauf daraus
    darf darin darum das dass davon dazu dein deine dem den denen denn dennoch der deren des deshalb dessen dich die
    dies diese diesem diesen dieser dieses dir doch dort du durch dürfen ein eine einem einen einer eines einige
    einigen einiger einmal er erst es etwa etwas euch euer für gab ganz gar gegen geht gibt gilt hab habe haben hat
    hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins ist ja je jede
    jedem jeden jeder jedes jedoch jetzt kann kein keine keinem keinen keiner können könnte lassen lässt machen macht
    man mehr mein meine mit muss müssen nach nachdem neben nicht nichts noch nun nur ob oder oft ohne schon sehr sein
    seine seinem seinen seiner seit selbst sich sie sind so sobald solche solchen soll sollen sollte sondern sonst
    sowie über um und uns unser unsere unter viel viele vielen vom von vor während war waren warum was weil weiter
    welche welchem welchen welcher wenig weniger wenn wer werden wie wieder will wir wird wo wohl worden wurde wurden
    würde würden zu zum zur zwar zwei zwischen";

const FRENCH: &str = "
    a afin ai ainsi alors après as au aucun aucune aujourd'hui auquel aussi autre autres aux avait avant avec avez
    avoir avons beaucoup bien c'est car ce ceci cela celle celles celui cependant ces cet cette ceux chaque chez comme
    comment contre d'un d'une dans de déjà depuis des deux devant doit doivent donc dont du elle elles en encore enfin
    entre es est et étaient était étant été être eu eux fait faire faut font fut grâce hors ici il ils j'ai je jusqu'à
    l'on la là laquelle le lequel les lesquels leur leurs lors lorsque lui ma mais malgré me même mêmes mes moins mon
    n'a n'est ne ni nos notre nous on ont or ou où par parce parfois parmi pas pendant peu peut peuvent plus plusieurs
    plutôt pour pourquoi pourtant près puis qu'elle qu'il qu'ils qu'on qu'un quand que quel quelle quelles quelque
    quelques quels qui quoi s'est sa sans sauf se selon sera seront ses seulement si sinon soit son sont sous souvent
    suis sur ta tandis te tel telle tels tes toi ton toujours tous tout toute toutefois toutes très trop tu un une
    vers voici voilà vos votre vous y";

const SPANISH: &str = "
    a además ahora al algo algún alguna algunas alguno algunos allí ambos ante antes aquel aquella aquellas aquello
    aquellos aquí así aún aunque bajo bien cada casi como cómo con contra cual cuales cualquier cuando cuándo cuanto
    de debe deben del desde después donde dónde dos durante e el él ella ellas ello ellos embargo en entonces entre era
    eran eres es esa esas ese eso esos está estaba estado están estar estas este esto estos estoy fue fueron fui ha
    había habían haber hace hacen hacer hacia han hasta hay he hemos incluso jamás junto la las le les lo los luego
    más mas me mediante menos mi mía mientras mis misma mismas mismo mismos mucha muchas mucho muchos muy nada ni
    ningún ninguna ninguno no nos nosotros nuestra nuestras nuestro nuestros nunca o os otra otras otro otros para
    pero poco pocos podrá podría por porque pueda puede pueden pues que qué quien quién quienes se sea sean según ser
    será serán si sí siempre sido sin sino sobre solo sólo somos son soy su sus suya suyo tal tales también tampoco
    tan tanto te tenemos tener tenía ti tiene tienen toda todas todavía todo todos tras tu tú tus u un una unas uno
    unos usted ustedes va van varias varios veces vez y ya yo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_languages_and_the_rest() {
        let texts = [
            (Language::English, "The committee will publish its findings on the bridge before the end of the year."),
            (Language::German, "Die Gemeinde lässt die Brücke prüfen und wird das Ergebnis im Herbst veröffentlichen."),
            (Language::French, "La commune fait contrôler le pont et publiera les résultats avant la fin de l'année."),
            (Language::Spanish, "El ayuntamiento revisará el puente y publicará los resultados antes de fin de año."),
            (Language::Other, "Мост проверят осенью, а результаты опубликуют до конца года."),
        ];
        for (language, text) in texts {
            assert_eq!(Language::of(text), language, "{text}");
        }
        assert!(Language::English.stop_words().contains("the") && Language::Other.stop_words().is_empty());
    }
}
