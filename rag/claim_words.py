"""The words that carry a claim's meaning: directions, negators, hedges, units, populations.

Tables only. `rag.claims` reads texts with them. An entry of several words is matched as a phrase,
the longest first. A kind whose entries exclude each other (`EXCLUSIVE`) makes a swap a
contradiction: what was found in women is not a finding in men.
"""

from __future__ import annotations

Groups = dict[str, str]
"""Canonical name -> its phrases, separated by commas."""

PHRASES: dict[str, Groups] = {
    "muscle": {
        "gluteus maximus": "gluteus maximus, big glute, big glute muscle, big bum muscle, glute max, gluteus max, gmax, g max",
        "gluteus medius": "gluteus medius, glute med, gmed, side glute, side butt",
        "gluteus minimus": "gluteus minimus, glute min, gmin",
        "glutes": "glute, gluteal, gluteus, butt, bum, buttock, backside, booty, glute muscle",
        "hamstrings": "hamstring, biceps femoris, semitendinosus, back of the thigh",
        "quadriceps": "quadriceps, quad, vastus lateralis, vastus medialis, rectus femoris,"
        " front of the thigh, front thigh",
        "adductors": "adductor, adductor magnus, inner thigh",
        "abductors": "abductor, hip abductor",
        "calves": "calf, calves, gastrocnemius, soleus",
        "back": "erector spinae, spinal erector, lower back muscle",
        "chest": "chest, pectoral, pectoralis",
        "biceps": "biceps, biceps brachii, elbow flexor",
        "triceps": "triceps, triceps brachii",
        "abdominals": "abs, abdominal, abdominals, rectus abdominis",
        "tensor fasciae latae": "tensor fasciae latae, tensor fascia lata, tfl",
        "piriformis": "piriformis",
        "hip flexors": "hip flexor, psoas, iliopsoas",
    },
    "exercise": {
        "hip thrust": "hip thrust, barbell hip thrust, thrust",
        "squat": "squat, back squat, barbell squat, full squat",
        "front squat": "front squat",
        "half squat": "half squat, partial squat, quarter squat",
        "split squat": "split squat, bulgarian split squat",
        "deadlift": "deadlift, conventional deadlift, barbell deadlift",
        "hex bar deadlift": "hex bar deadlift, trap bar deadlift, hex bar",
        "romanian deadlift": "romanian deadlift, rdl, stiff leg deadlift, stiff legged deadlift",
        "glute bridge": "glute bridge, bridge",
        "lunge": "lunge, walking lunge",
        "step-up": "step up",
        "leg press": "leg press",
        "leg curl": "leg curl",
        "leg extension": "leg extension, knee extension",
        "kickback": "kickback, cable kickback, donkey kick",
        "clamshell": "clamshell, clam",
        "hip abduction": "hip abduction, side lying hip abduction",
        "back extension": "back extension, hyperextension",
        "good morning": "good morning",
        "kettlebell swing": "kettlebell swing, swing",
        "bench press": "bench press",
        "pull-through": "pull through, cable pull through",
    },
    "sex": {
        "women": "woman, women, female, girl, schoolgirl, lady, ladies, mother",
        "men": "man, men, male, boy, guy",
    },
    "training": {
        "trained": "resistance trained, well trained, strength trained, trained man, trained men,"
        " trained woman, trained women, trained adult, trained lifter, trained people,"
        " trained person, trained participant, trained individual, trained subject,"
        " trained athlete, trained volunteer, trained male, trained female, trained group,"
        " experienced, experienced lifter, advanced lifter, advanced trainee,"
        " training experience, lifting experience, seasoned lifter, veteran lifter,"
        " recreationally trained, already trained, highly trained, were trained, trained young",
        "untrained": "untrained, beginner, novice, not trained, new to lifting, inexperienced,"
        " new lifter, no training experience, without training experience, sedentary, non trained,"
        " never lifted",
    },
    "age": {
        "old": "older, elderly, senior, over 60, aged, old, older adult, older people, pensioner",
        "young": "young, younger, young adult, college aged, student, young people",
        "teenage": "teenager, teenage, adolescent, youth, child, children, kid, teen",
        "middle-aged": "middle aged",
    },
    "health": {
        "pregnant": "pregnant, pregnancy, during pregnancy",
        "postpartum": "postpartum, after birth, postnatal, after giving birth",
        "healthy": "healthy, pain free, without pain, no pain, uninjured",
        "injured": "injured, in pain, painful",
    },
    "outcome": {
        "growth": "growth, grow, grew, grown, hypertrophy, muscle size, muscle mass, thickness,"
        " muscle volume, muscle growth, hypertrophic, muscle gain, build muscle, size",
        "EMG": "emg, electromyography, electromyographic, activation, activate, muscle activity,"
        " muscle activation, electrical activity, surface emg, emg amplitude, emg signal, muscle signal, signal, activity",
        "strength": "strength, 1rm, max strength, force, maximal strength",
        "pain": "pain, ache",
        "soreness": "soreness, sore, doms",
        "injury": "injury, tear, sprain, injuries",
        "speed": "sprint speed, sprint, speed, sprint time",
        "jump": "jump, jump height, jumping",
        "lean mass": "fat free mass, lean mass, lean body mass, lean tissue",
        "fat": "fat loss, body fat, fat mass, fat, lose fat",
        "endurance": "endurance, stamina",
    },
    "joint": {
        "hip": "hip",
        "knee": "knee",
        "ankle": "ankle",
        "shoulder": "shoulder",
        "elbow": "elbow",
        "neck": "neck",
        "lower back": "lower back, low back, lumbar spine, spine",
    },
    "degree": {
        "high": "a lot, greatly, markedly, substantially, strongly, much weaker, much stronger, huge,"
        " large, considerable, considerably, big, hugely, strong, enormous, marked, substantial",
        "low": "a little, slightly, hardly, barely, trivial, small, minimal, negligible, tiny,"
        " a bit, slight, weak, minor, modestly, marginally",
    },
    "same": {
        "same": "same, similar, similarly, equal, equally, equivalent, no difference,"
        " not differ, no different, not different, alike, comparable, comparably, matched,"
        " unchanged, just as much, as much as, about as well, just as well, as well as it, as many as, as good as,"
        " no better, no more than, no greater, no higher, no larger, no bigger, no stronger,"
        " not better, not more, not greater, not higher, no significant difference, overlapped,"
        " no clear difference, no difference was seen, identical, likewise, differ little,"
        " differed little, difference little, little difference, no extra, equivalently,"
        " not differ significantly, not significantly different, no significant differences,"
        " no worse, no less, did not differ, changed little, hardly differ, no effect, did as well,"
        " equally well, about the same,"
        " worked as well, works as well, work as well, no faster, no further, not significantly differ, not matter,"
        " nothing extra, not change, no change, not alter, not affect, not influence, made no difference,"
        " make no difference, makes no difference, no additional, no further, no sign of altering,"
        " tied, tie, on par, much the same, neither better, not matter, no effect on, without effect,"
        " as effective as, as effective, not clearly differ, same amount",
        "different": "different, differ, difference, unequal, dissimilar",
    },
    "up": {
        "up": "more, add, added, higher, greater, larger, bigger, increase, rise, rose,"
        " raise, better, faster,"
        " longer, exceed, boost, the most, superior, highest, greatest, largest, best,"
        " heavier, stronger, elevate, improve, outperform, beat, surpass, gain, expand,"
        " improvement, upward, biggest, strongest, deeper, wider, longest, heaviest, deepest,"
        " double, doubled, triple, tripled, grow larger, outdo, hardest, harder, enhance,"
        " enhanced, advantage, ahead, oftener, older than, higher than, thicker, climb, help, helped",
    },
    "down": {
        "down": "less, lower, smaller, fewer, decrease, reduce, reduction, fall, fell, drop,"
        " shrink, shrank, shrunk, decline, weaker, worse, slower, shorter, lesser, least, inferior,"
        " lowest, smallest, fewest, worst, lighter, halve, lose, lost, weaken, diminish, ease, relieve,"
        " shallower, narrower, weakest, lightest, impair, hinder, blunt, poorer, worsen, subtract, take off,"
        " lag, downward, minimise, lessen, underperform, narrowest, thinner, thinned, easiest, easier, waste away",
    },
    "neg": {
        "not": "not, no, never, without, none, neither, nor, cannot, nobody, nothing, fail,"
        " failed to, lack, false, myth, untrue, wrong, nowhere, refuse, avoid, hold off, refrain from, abstain from, advise against, advises against,"
        " advised against, advising against, warn against, warns against, argues against,"
        " prevent"
        " from, rarely, seldom, zero evidence, rather than, instead of, unable, n't,"
        " lacked, lacking, lacks, fails to, failing to, failed,"
        " did little, does little, little evidence, isn't, absence, untested, unproven, absent,"
        " ruled out, exclude, denied, deny, refute, rejected",
    },
    "hedge": {
        "may": "may, might, could, perhaps, possibly, probably, likely, appear, seem, suggest,"
        " suggestion, unclear, uncertain, tend, tentative, potentially, presumably, unproven,"
        " untested, hypothesised, hypothesis, speculate, believed, thought to, plausible,"
        " plausibly, some evidence, limited evidence, weak evidence, low certainty, suspect,"
        " still needs proof, proposed, theory, in theory, suggested, hint",
    },
    "boost": {
        "proves": "prove, proven, proof, definitely, certainly, guarantee, always, undoubtedly,"
        " conclusively, certain, must, inevitably, without doubt, beyond doubt, will, establish,"
        " established, clearly, demonstrate conclusively, undeniably, surely, never fails,"
        " every time, without exception",
    },
    "cause": {
        "causes": "cause, lead to, led to, produce, make, result in, trigger, because of,"
        " responsible for, due to, prevent, protect against, bring about",
    },
    "linked": {
        "linked": "linked, link, associate, association, correlate, correlation, went with,"
        " go with, goes with, related, relate, cross sectional, predict, tied to",
    },
    "all": {"all": "all, every, everyone, everybody, any, always, entirely, universally, whole"},
    "most": {"most": "most, majority, most people, mostly, usually, generally, most studies"},
    "some": {
        "some": "some, several, sometimes, few, a few, certain people, partly, occasionally,"
        " many, often, some people, minority"
    },
    "only": {"only": "only, solely, exclusively, just, alone, nothing but"},
}

EXCLUSIVE = ("muscle", "exercise", "sex", "training", "age", "health", "joint")
"""Kinds whose entries exclude each other."""

VERBS_OF_GROWTH = frozenset(
    ["grow", "grew", "grows", "grown", "growing", "thicken", "thickened", "build", "built", "builds",
     "build muscle", "hypertrophied"]
)

GOOD_WORDS = frozenset(
    ["improve", "improved", "improves", "better", "improvement", "worse", "worsened", "worsen", "help",
     "helped", "improvements", "best", "worst", "benefit"]
)
"""Words of better and worse, which turn round for what is better low."""

CHANGES = frozenset(
    ["increas", "rise", "rose", "rais", "boost", "improv", "gain", "expand", "add", "enhanc", "decreas", "reduc", "reduct", "fall", "fell", "drop", "shrink", "shrank", "shrunk", "declin", "lose", "lost", "weaken", "diminish", "impair", "hinder", "blunt", "worsen", "eas", "reliev", "lessen", "climb", "doubl", "tripl", "halv", "help", "elev", "subtract", "surpass", "thin", "wast", "cut"]
)
"""Stems of words that tell a change in time; the other directions compare one thing with another."""

UNSTUDIED = frozenset(["trial", "studi", "evid", "research", "record", "data", "experi", "measur", "test", "paper", "proof"])
"""Stems after "no" or "not" by which a passage says that something was not looked at."""

LESS_IS_BETTER = frozenset({"pain", "soreness", "injury", "fat", "risk", "disabl", "odd"})

GENERIC = frozenset(
    ["find", "report", "show", "perform", "produc", "includ", "cover", "compar", "accord", "use", "overal", "respect", "clear", "mean", "averag", "seem", "rough", "approxim", "lead", "result", "present", "carri", "done", "undertak", "involv", "see", "seen", "look", "gave", "happen", "occur", "remain", "tend", "usual", "general", "whether", "both", "total", "studi", "group", "trial", "particip", "peopl", "evid", "data", "also", "respons", "everi", "particular", "special", "certain", "possibl", "abl", "note", "conclud", "author", "fact", "case", "way", "kind", "sort", "give", "bring", "tell", "put", "later", "measur", "test", "examin", "investig", "assess", "analys", "reach", "account", "regard", "relat", "term", "ad", "addit", "make", "produce"]
)
"""Stems of words that a fair summary adds or drops freely."""

BROADER: dict[str, frozenset[str]] = {
    "glutes": frozenset({"gluteus maximus", "gluteus medius", "gluteus minimus"}),
    "gluteus medius": frozenset({"abductors"}),
    "abductors": frozenset({"gluteus medius", "gluteus minimus", "glutes"}),
    "hip abduction": frozenset({"clamshell"}),
    "squat": frozenset({"front squat", "half squat"}),
    "deadlift": frozenset({"hex bar deadlift", "romanian deadlift"}),
    "hip thrust": frozenset(),
    "hip": frozenset({"hip flexors", "hip abduction", "hip thrust", "abductors"}),
    "pain": frozenset({"soreness"}),
    "soreness": frozenset({"pain"}),
}
"""A name and the narrower ones that stand for it."""

SYNONYMS = """
exercise movement lift move drill
train training workout work lifting
session workout
study trial experiment research paper investigation
review synthesis overview
meta-analysis meta pooled pool
people participant adult subject individual volunteer person lifter trainee patient
athlete player footballer
load weight resistance
rep repetition
rest break pause recovery interval
effort exertion intensity
failure exhaustion
set bout
protein amino
stretch lengthen lengthened stretched long
range rom excursion depth
gain improve increase growth grow
show find found report observe demonstrate indicate reveal record see saw seen note
measure assess test evaluate record gauge
advise recommend suggest urge encourage counsel advice recommendation
need require necessary
help aid assist benefit useful
risk odds chance likelihood danger
pain ache hurt painful
doctor clinician physician medical
fast quick rapid
begin start onset commence initial
end finish stop final
use employ apply using
contain include comprise consist
build develop grow
big large size
small little modest slight
young youth
woman female
man male
birth childbirth delivery postpartum
enough sufficient adequate
effect impact influence
result outcome finding
group arm
guideline stand statement guidance opinion
difficult hard tough
easy simple
begin beginner novice
work effective
film movie
car automobile vehicle
begin launch found establish create founded
buy purchase acquire
kill murder
die death dead
win victory won
near close
house home
city town
country nation
job post position role
leave depart left
child kid
popular famous well-known known
call name know title term
type kind form sort variety
origin originate come
make produce create manufacture
live reside
say state claim tell announce declare
begin open
writer author
play perform
song track single
company firm corporation business
area region
around approximately about
get receive obtain
give provide offer bring bestow
main chief primary principal major
recover heal
turn rotate twist
run start
unloaded bodyweight
enrol enroll recruit
day daily
hour hourly
keep continue
part portion component
frequently often commonly
mainly primarily mostly chiefly
eat consume food
drink beverage
""".strip().splitlines()

ANTONYMS = """
safe unsafe
likely unlikely
effective ineffective
necessary unnecessary
significant nonsignificant
strong weak
heavy light
long short
fast slow
deep shallow
full partial
before after
few most
up down
on off
few many
many few
above below
over under
early late
high low
front rear
bent straight
upper lower
upper-body lower-body
uppermost lowermost
lengthened shortened
stretch shorten
inner outer
internal external
wide narrow
help harm
benefit harm
safe dangerous
first last
agree disagree
succeed fail
add remove
adduction abduction
flexion extension
anterior posterior
medial lateral
single-leg two-leg
unilateral bilateral
standing seated
concentric eccentric
common rare
easy hard
with without
warm cold
supervised unsupervised
start stop
continue stop
allow forbid
encourage discourage
recommend discourage
advise discourage
free machine
daily weekly
dominant non-dominant
straight bent
top bottom
day night
open closed
win lose
painful painless
flexor extensor
abductor adductor
inward outward
inside outside
upward downward
forward backward
increase decrease
add subtract
surplus deficit
shallowest deepest
dynamic static
moving still
active passive
active inactive
gain lose
grow shrink
horizontal vertical
proximal distal
left right
land water
loaded unloaded
weighted bodyweight
maximum minimum
maximal minimal
maximal submaximal
direct indirect
acute chronic
primary secondary
constant variable
same opposite
positive negative
clockwise anticlockwise
morning evening
active rest
rise fall
strict loose
premenopausal postmenopausal
prenatal postnatal
pregnancy birth
rural urban
public private
north south
east west
husband wife
king queen
import export
hero villain
expand contract
major minor
majority minority
attack defend
arrive depart
ancient modern
guilty innocent
optional mandatory
voluntary compulsory
legal illegal
possible impossible
complete incomplete
stable unstable
single married
""".strip().splitlines()

UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("s", "sec", "second"), ("time", 1.0)),
    **dict.fromkeys(("min", "minute"), ("time", 60.0)),
    **dict.fromkeys(("h", "hr", "hour"), ("time", 3600.0)),
    **dict.fromkeys(("ms", "millisecond"), ("time", 0.001)),
    "day": ("time", 86400.0),
    "fortnight": ("time", 1209600.0),
    **dict.fromkeys(("wk", "week"), ("time", 604800.0)),
    "month": ("time", 2629800.0),
    **dict.fromkeys(("yr", "year"), ("time", 31557600.0)),
    "decade": ("time", 315576000.0),
    "mg": ("mass", 0.001),
    **dict.fromkeys(("g", "gram"), ("mass", 1.0)),
    **dict.fromkeys(("kg", "kilogram", "kilo"), ("mass", 1000.0)),
    **dict.fromkeys(("lb", "lbs", "pound"), ("mass", 453.6)),
    "mm": ("length", 1.0),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), ("length", 10.0)),
    **dict.fromkeys(("m", "metre", "meter"), ("length", 1000.0)),
    **dict.fromkeys(("inch", "inches"), ("length", 25.4)),
    **dict.fromkeys(("cm2", "cm²"), ("area", 1.0)),
    **dict.fromkeys(("%", "percent", "per cent"), ("ratio", 0.01)),
    **dict.fromkeys(("°", "degree"), ("angle", 1.0)),
    **dict.fromkeys(("rm",), ("rm", 1.0)),
    **dict.fromkeys(("set",), ("sets", 1.0)),
    **dict.fromkeys(("rep", "repetition"), ("reps", 1.0)),
    **dict.fromkeys(("time", "session", "workout", "occasion"), ("times", 1.0)),
    **dict.fromkeys(
        ("trial", "study", "studies", "article", "review", "experiment", "paper",
         "meta-analysis", "meta-analyses"),
        ("studies", 1.0),
    ),
    **dict.fromkeys(
        ("people", "person", "man", "men", "woman", "women", "adult", "participant", "subject",
         "athlete", "player", "lifter", "volunteer", "patient", "girl", "boy", "beginner",
         "novice", "control", "footballer", "runner", "student", "trainee", "individual",
         "teenager", "female", "male", "child", "children"),
        ("people", 1.0),
    ),
    **dict.fromkeys(("kcal", "calorie"), ("energy", 1.0)),
    **dict.fromkeys(("exercise", "lift", "movement"), ("exercises", 1.0)),
}
"""Unit -> (what it measures, its size in that dimension's base)."""

NUMBERS: dict[str, float] = {
    w: float(i)
    for i, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
    )
} | {
    w: float(10 * i)
    for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
MULTIPLIERS = {"hundred": 100.0, "thousand": 1000.0, "million": 1e6, "billion": 1e9, "dozen": 12.0}
FRACTIONS = {"half": 0.5, "third": 1 / 3, "thirds": 1 / 3, "quarter": 0.25, "quarters": 0.25,
             "fifth": 0.2, "fifths": 0.2, "tenth": 0.1}
COUNTS = {"once": 1.0, "twice": 2.0, "thrice": 3.0}

STOP = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "by", "with", "from", "as", "and", "or", "but", "so", "than", "then", "that", "this", "these", "those", "it", "its", "is", "are", "was", "were", "be", "been", "being", "am", "do", "does", "did", "done", "doing", "have", "has", "had", "having", "will", "would", "shall", "should", "can", "could", "may", "might", "must", "i", "you", "he", "she", "we", "they", "them", "their", "his", "her", "our", "your", "my", "me", "him", "us", "who", "whom", "whose", "which", "what", "when", "where", "while", "there", "here", "how", "why", "if", "into", "onto", "upon", "about", "over", "under", "up", "down", "out", "off", "again", "further", "also", "too", "very", "just", "own", "such", "both", "each", "other", "another", "more", "most", "some", "any", "all", "between", "through", "during", "per", "via", "within", "among", "across", "against", "toward", "towards", "because", "since", "until", "although", "though", "whereas", "however", "thus", "hence", "therefore", "even", "still", "yet", "only", "according", "et", "al", "ie", "eg", "etc", "s", "t", "re", "ve", "ll", "d", "m", "not", "no", "nor", "one", "ones", "well", "rather", "quite", "much", "many", "few", "ever", "never", "always", "often", "really", "actually", "yes", "okay", "oh", "hi", "think", "like", "lot", "get", "got", "go", "goes", "going", "went", "come", "came", "make", "makes", "made", "way", "thing", "things", "something", "let", "lets", "say", "says", "said", "after", "before", "now", "currently", "known", "first", "new", "part", "result", "results", "study", "found"]
)
"""Words that carry no claim of their own; directions and negators are read apart."""
