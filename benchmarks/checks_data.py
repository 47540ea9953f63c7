"""Facts by hand, from the shipped example documents (English) and from small passages written for this (de, es, fr).

`DEVELOP` is what the checks were tuned on, `HELD_OUT` what is reported: other documents, and other wordings.
"""

from __future__ import annotations

from typing import NamedTuple


class Fact(NamedTuple):
    """`same` says what `right` says in other words; `also` is true by the passage and beside the point; `unsupported`
    answers the question as `right` does, with something that the passage does not say; `value` is what gives it away."""

    language: str
    passage: str
    question: str
    right: str
    wrong: str
    same: str
    also: str
    unsupported: str
    value: str


COMPOST = (
    "Composting turns kitchen and garden waste into a dark, crumbly soil improver. The work is done by bacteria, fungi and"
    ' small animals. "Green" materials, such as grass cuttings, vegetable peelings and coffee grounds, are rich in nitrogen.'
    ' "Brown" materials, such as dry leaves, straw and cardboard, are rich in carbon. Microbes work fastest when the whole'
    " heap has about 25 to 30 parts of carbon for each part of nitrogen. With too much green material, the heap lacks air"
    " and the surplus nitrogen escapes as ammonia, which can be smelled. With too much brown material nothing goes wrong,"
    " but the heap needs a year or two instead of a few months. Bacteria warm a heap of at least one cubic metre to 55 to"
    " 65 °C within a week. Three days above 55 °C kill most weed seeds."
)
TIDES = (
    "A tide table is computed from the past of one place. The height of the water is measured for at least a year, better"
    " for nineteen, and is then taken apart into waves of known periods, the harmonic constituents. The largest at most"
    " coasts is called M2. It belongs to the moon and has a period of 12 hours and 25 minutes, half a lunar day. S2 belongs"
    " to the sun and has a period of exactly 12 hours. About 37 constituents are enough for a port on an open coast, while"
    " a port in a shallow estuary may need more than 100. A pressure 30 hectopascals below normal can raise the water by 30"
    " centimetres or more above the table."
)
KNOTS = (
    "A nautical mile is 1,852 metres, a length agreed on in Monaco in 1929. It was meant to be one minute of arc along a"
    " meridian. A knot is one nautical mile an hour, and the name comes from the log line: a rope with a knot every 14.4"
    " metres, tied to a wooden board that was thrown overboard and stayed nearly still in the water. A sailor counted the"
    " knots that ran through his fingers while a sandglass of 28 seconds ran out."
)
LIGHTHOUSE = (
    "The lighthouse of Vell stands on a granite reef four kilometres off the western coast of the island of Maren. It was"
    " built between 1868 and 1873, after eleven ships had been lost on the reef in nine winters. The engineer was Adela"
    " Torrin, who had never built at sea before; her earlier work was two railway bridges and a grain store. She chose a"
    " tower of interlocking granite blocks, 41 metres high. Work on the reef was possible only from May to September. The"
    " lamp burned rapeseed oil and was turned by a clockwork that a keeper had to wind every fifty minutes. In 1908 the oil"
    " was replaced by vaporised paraffin, which made the light about six times as bright for the same cost. The last"
    " keepers left on 30 June 1989, when the light became automatic."
)
BEES = (
    "Honey bees do not hibernate. When the air falls below about 10 °C the colony gathers in a ball, the winter cluster,"
    " with the queen inside. The bees on the outside insulate the ball; those inside make heat by working their flight"
    " muscles without moving their wings. A colony in a temperate climate uses 10 to 15 kilograms of stores between October"
    " and March, and more in a mild winter than in a cold one, because active bees eat more than clustered ones. The mite"
    " Varroa destructor is treated in December with oxalic acid, because then no mites are hidden in closed brood. Mice"
    " enter through any gap higher than 7 millimetres."
)
RAILWAY = (
    "The Orlen Valley Railway ran for 38 kilometres from the junction at Castemore to the slate quarries above Upper Orlen."
    " The narrow gorge below Tarn Bridge would have needed three more tunnels, and so the line was built to a gauge of 762"
    " millimetres. Goods trains began to run on 14 May 1883. Passengers had to wait until October of the same year, because"
    " the inspector of railways, Major Henry Collis, found that the carriages had no continuous brakes. Slate paid for"
    " everything: in no year before 1920 did passengers bring in more than a fifth of the income. The rack engines always"
    " stood at the lower end of the train. The only serious accident happened on 19 January 1911, when frozen grease kept"
    " the brake of a slate train from closing; the driver, Owen Pryce, lost a leg."
)
MILL = (
    "Die Windmühle von Harlen wurde 1794 aus Eichenholz gebaut. Sie mahlte Roggen und Buchweizen für vier Dörfer. Der Müller"
    " Jakob Brandt ersetzte 1861 die Segel aus Leinen durch Jalousien, die sich während der Fahrt verstellen ließen. Bei"
    " Sturm wurde das Flügelkreuz quer zum Wind gestellt, damit es nicht überdrehte. Seit 1958 steht die Mühle still."
)
SALT = (
    "Im Salzbergwerk von Tannau wird das Salz nicht gehauen, sondern mit Wasser gelöst. Die Sole enthält 26 Prozent Salz und"
    " fließt durch eine Leitung aus Lärchenholz, elf Kilometer lang, in die Saline von Reuth. Dort wird sie in flachen"
    " Pfannen über Torffeuer eingedampft, weil Brennholz im Tal knapp war. Ein Stollen bleibt etwa dreißig Jahre in Betrieb."
)
BRIDGE = (
    "El puente de Ombra cruza el río Tales con siete arcos de piedra caliza. Lo proyectó la ingeniera Lucía Ferrán en 1822,"
    " después de que una riada destruyera el puente de madera. El arco central mide 24 metros y es más ancho que los demás"
    " para que pasen los troncos que bajan del bosque. Hasta 1890 los carros pagaban dos reales de peaje."
)
COFFEE = (
    "En la sierra de Palmar el café crece a la sombra de los nogales, entre 1.100 y 1.500 metros de altura. La cosecha dura"
    " de noviembre a febrero y se recoge a mano, porque los granos no maduran todos a la vez. Los granos fermentan durante"
    " 36 horas en tanques de cemento y luego se secan al sol sobre esteras de junco."
)
BREAD = (
    "Le levain de la boulangerie Morvan est nourri toutes les huit heures avec de la farine de seigle. La pâte repose quatorze"
    " heures au frais, ce qui développe l'acidité et rend le pain plus digeste. Le four, construit en 1911, est chauffé au"
    " bois de hêtre, car le chêne donne trop de fumée. Une miche pèse deux kilos et se conserve une semaine."
)
CANAL = (
    "Le canal de Brenne relie la Sorne à l'étang de Vaux sur 43 kilomètres. Il fut creusé de 1784 à 1791 par des prisonniers"
    " de guerre. Ses dix-neuf écluses rachètent un dénivelé de 52 mètres. Les péniches transportaient surtout de l'argile"
    " pour les faïenceries. Depuis 1972, seuls des bateaux de plaisance l'empruntent."
)

DEVELOP = (
    Fact(
        "en",
        COMPOST,
        "How many parts of carbon for each part of nitrogen suit a compost heap best?",
        "Microbes in a compost heap work fastest with about 25 to 30 parts of carbon for each part of nitrogen.",
        "Microbes in a compost heap work fastest with about 5 to 10 parts of carbon for each part of nitrogen.",
        "The best ratio of carbon to nitrogen in a compost heap lies between 25 and 30 to one.",
        "Compost is made by bacteria, fungi and small animals.",
        "Microbes in a compost heap work fastest with about 45 to 50 parts of carbon for each part of nitrogen.",
        "25 to 30",
    ),
    Fact(
        "en",
        COMPOST,
        "Why does a compost heap smell of ammonia?",
        "There is too much green material: the heap lacks air, and the surplus nitrogen escapes as ammonia.",
        "There is too much brown material: dry leaves and straw release ammonia as their carbon burns away.",
        "It holds a surplus of green material and too little air, so nitrogen it cannot use leaves as ammonia.",
        "Three days above 55 °C kill most weed seeds.",
        "There is too much lime: the heap turns alkaline, and that sets the ammonia free.",
        "green material",
    ),
    Fact(
        "en",
        COMPOST,
        "What happens to a compost heap with too much brown material?",
        "Nothing goes wrong, but the heap needs a year or two instead of a few months.",
        "The heap turns sour and starts to rot within a few weeks, so that it must be thrown away.",
        "No harm is done; it just takes one or two years where a few months would have been enough.",
        "Straw and cardboard are rich in carbon.",
        "Nothing goes wrong, but the heap needs five or six years instead of a few months.",
        "a year or two",
    ),
    Fact(
        "en",
        COMPOST,
        "How long must a heap be hot to kill most weed seeds?",
        "Three days above 55 °C kill most weed seeds.",
        "Ten days above 80 °C kill most weed seeds.",
        "Most seeds of weeds die once it has stayed above 55 °C for three days.",
        "A heap of one cubic metre becomes hot within a week.",
        "One hour above 55 °C kills most weed seeds.",
        "three days",
    ),
    Fact(
        "en",
        COMPOST,
        "Which materials are called green in composting?",
        "Grass cuttings, vegetable peelings and coffee grounds are green: they are rich in nitrogen.",
        "Dry leaves, straw and cardboard are green: they are rich in nitrogen.",
        "The green ones are rich in nitrogen: coffee grounds, peelings of vegetables, cuttings of grass.",
        "Compost is dark and crumbly.",
        "Seaweed, bone meal and wood ash are green: they are rich in nitrogen.",
        "coffee grounds",
    ),
    Fact(
        "en",
        TIDES,
        "What is the period of the tidal constituent M2?",
        "M2 has a period of 12 hours and 25 minutes, half a lunar day.",
        "M2 has a period of 24 hours and 50 minutes, a full lunar day.",
        "Half a lunar day, that is 12 hours and 25 minutes, is how long one wave of M2 takes.",
        "The constituent S2 belongs to the sun.",
        "M2 has a period of 11 hours and 58 minutes, half a sidereal day.",
        "12 hours and 25 minutes",
    ),
    Fact(
        "en",
        TIDES,
        "For how long should the water be measured before a tide table is computed?",
        "The height of the water is measured for at least a year, better for nineteen.",
        "The height of the water is measured for at least a week, better for a month.",
        "One year of measuring the water is the least; nineteen years are better.",
        "The harmonic constituents are waves of known periods.",
        "The height of the water is measured for at least fifty years.",
        "nineteen years",
    ),
    Fact(
        "en",
        TIDES,
        "Which ports need more tidal constituents, those on an open coast or those in a shallow estuary?",
        "A port in a shallow estuary needs more: over 100, where about 37 are enough on an open coast.",
        "A port on an open coast needs more: over 100, where about 37 are enough in a shallow estuary.",
        "Shallow estuaries do, with over 100 of them; at an open coast some 37 will do.",
        "M2 is the largest constituent at most coasts.",
        "A port in a shallow estuary needs more: over 400, where about 12 are enough on an open coast.",
        "the shallow estuary",
    ),
    Fact(
        "en",
        TIDES,
        "How far can low air pressure raise the sea above a tide table?",
        "A pressure 30 hectopascals below normal can raise the water by 30 centimetres or more.",
        "A pressure 30 hectopascals below normal can raise the water by 3 millimetres at most.",
        "When the pressure is 30 hectopascals too low, the sea may stand 30 centimetres or more higher.",
        "A tide table is computed from the past of one place.",
        "A pressure 30 hectopascals below normal can raise the water by 4 metres or more.",
        "30 centimetres",
    ),
    Fact(
        "en",
        KNOTS,
        "Where was the length of the nautical mile agreed on?",
        "It was agreed on in Monaco in 1929.",
        "It was agreed on in Lisbon in 1911.",
        "Monaco was the place of that agreement, in 1929.",
        "A knot is one nautical mile an hour.",
        "It was agreed on in Oslo in 1929.",
        "Monaco",
    ),
    Fact(
        "en",
        KNOTS,
        "How far apart were the knots of a log line?",
        "A log line had a knot every 14.4 metres.",
        "A log line had a knot every 28 metres.",
        "From one knot of a log line to the next there were 14.4 metres.",
        "The board stayed nearly still in the water.",
        "A log line had a knot every 9.1 metres.",
        "14.4",
    ),
    Fact(
        "en",
        KNOTS,
        "What was the nautical mile meant to be?",
        "It was meant to be one minute of arc along a meridian.",
        "It was meant to be the distance that a ship sails in one watch.",
        "The idea was that it should equal a single arc minute along a meridian.",
        "The log line was a rope tied to a wooden board.",
        "It was meant to be one degree of arc along the equator.",
        "minute of arc",
    ),
    Fact(
        "de",
        MILL,
        "Wann wurde die Windmühle von Harlen gebaut?",
        "Die Windmühle von Harlen wurde 1794 gebaut.",
        "Die Windmühle von Harlen wurde 1749 gebaut.",
        "Man errichtete die Windmühle von Harlen im Jahr 1794.",
        "Sie mahlte Roggen und Buchweizen.",
        "Die Windmühle von Harlen wurde 1902 gebaut.",
        "1794",
    ),
    Fact(
        "de",
        MILL,
        "Warum wurde das Flügelkreuz der Mühle bei Sturm quer gestellt?",
        "Es wurde quer zum Wind gestellt, damit es nicht überdrehte.",
        "Es wurde quer zum Wind gestellt, damit das Korn trocken blieb.",
        "Damit es im Sturm nicht überdrehte, stellte man es quer zum Wind.",
        "Die Mühle besteht aus Eichenholz.",
        "Es wurde quer zum Wind gestellt, damit der Müller die Segel flicken konnte.",
        "überdrehte",
    ),
    Fact(
        "de",
        MILL,
        "Wer baute die Jalousien in die Mühle von Harlen ein?",
        "Der Müller Jakob Brandt baute 1861 Jalousien statt der Segel aus Leinen ein.",
        "Der Zimmermann Peter Holm baute 1861 Jalousien statt der Segel aus Leinen ein.",
        "Jalousien an Stelle der Leinensegel gibt es seit 1861 durch den Müller Jakob Brandt.",
        "Die Mühle steht seit 1958 still.",
        "Der Graf Otto von Reuth baute 1861 Jalousien statt der Segel aus Leinen ein.",
        "Jakob Brandt",
    ),
    Fact(
        "es",
        BRIDGE,
        "¿Cuántos arcos tiene el puente de Ombra?",
        "El puente de Ombra tiene siete arcos de piedra caliza.",
        "El puente de Ombra tiene nueve arcos de piedra caliza.",
        "Son siete los arcos de piedra caliza del puente de Ombra.",
        "Los carros pagaban dos reales de peaje.",
        "El puente de Ombra tiene doce arcos de piedra caliza.",
        "siete",
    ),
    Fact(
        "es",
        BRIDGE,
        "¿Quién proyectó el puente de Ombra?",
        "Lo proyectó la ingeniera Lucía Ferrán en 1822.",
        "Lo proyectó el arquitecto Mateo Rivas en 1822.",
        "En 1822 hizo el proyecto la ingeniera Lucía Ferrán.",
        "El arco central mide 24 metros.",
        "Lo proyectó el maestro Andrés Soler en 1822.",
        "Lucía Ferrán",
    ),
    Fact(
        "es",
        BRIDGE,
        "¿Por qué es más ancho el arco central del puente de Ombra?",
        "Es más ancho para que pasen los troncos que bajan del bosque.",
        "Es más ancho para que pasen los barcos de vela que suben del mar.",
        "Su anchura permite el paso de los troncos que bajan desde el bosque.",
        "El puente cruza el río Tales.",
        "Es más ancho para que el puente soporte el peso de los carros.",
        "los troncos",
    ),
    Fact(
        "fr",
        BREAD,
        "Combien de temps la pâte de la boulangerie Morvan repose-t-elle ?",
        "La pâte repose quatorze heures au frais.",
        "La pâte repose deux heures à température ambiante.",
        "On laisse la pâte au frais pendant quatorze heures.",
        "Une miche pèse deux kilos.",
        "La pâte repose trente heures au frais.",
        "quatorze heures",
    ),
    Fact(
        "fr",
        BREAD,
        "Avec quel bois chauffe-t-on le four de la boulangerie Morvan ?",
        "On le chauffe au bois de hêtre, car le chêne donne trop de fumée.",
        "On le chauffe au bois de chêne, car le hêtre donne trop de fumée.",
        "Le chêne fumant trop, c'est avec du hêtre qu'il est chauffé.",
        "Le levain est nourri avec de la farine de seigle.",
        "On le chauffe au bois de châtaignier, car le sapin donne trop de fumée.",
        "hêtre",
    ),
    Fact(
        "fr",
        BREAD,
        "Quand le four de la boulangerie Morvan fut-il construit ?",
        "Le four fut construit en 1911.",
        "Le four fut construit en 1894.",
        "C'est en 1911 qu'on a construit ce four.",
        "Le pain se conserve une semaine.",
        "Le four fut construit en 1936.",
        "1911",
    ),
)

HELD_OUT = (
    Fact(
        "en",
        LIGHTHOUSE,
        "How high is the tower of the lighthouse of Vell?",
        "The tower is 41 metres high and made of interlocking granite blocks.",
        "The tower is 57 metres high and made of interlocking granite blocks.",
        "It is a tower of granite blocks that interlock, and its height is 41 metres.",
        "The lighthouse stands on a granite reef.",
        "The tower is 29 metres high and made of interlocking granite blocks.",
        "41 metres",
    ),
    Fact(
        "en",
        LIGHTHOUSE,
        "Who built the lighthouse of Vell, and had she built at sea before?",
        "The engineer was Adela Torrin, and she had never built at sea before.",
        "The engineer was Edith Marlow, and she had built two lighthouses before.",
        "Adela Torrin was its engineer; building at sea was new to her.",
        "Work on the reef was possible only from May to September.",
        "The engineer was Clara Benning, and she had never built at sea before.",
        "Adela Torrin",
    ),
    Fact(
        "en",
        LIGHTHOUSE,
        "What replaced the rapeseed oil of the lamp at Vell?",
        "Vaporised paraffin replaced it in 1908 and made the light about six times as bright.",
        "Electric arc lamps replaced it in 1908 and made the light about six times as bright.",
        "From 1908 on it burned vaporised paraffin, with six times the brightness.",
        "A keeper had to wind the clockwork every fifty minutes.",
        "Acetylene gas replaced it in 1908 and made the light about six times as bright.",
        "paraffin",
    ),
    Fact(
        "en",
        LIGHTHOUSE,
        "How often did a keeper have to wind the clockwork of the lighthouse of Vell?",
        "The clockwork had to be wound every fifty minutes.",
        "The clockwork had to be wound every six hours.",
        "A winding lasted for fifty minutes, after which the keeper had to do it again.",
        "The lamp burned rapeseed oil.",
        "The clockwork had to be wound every twenty minutes.",
        "fifty minutes",
    ),
    Fact(
        "en",
        LIGHTHOUSE,
        "When did the last keepers leave the lighthouse of Vell, and why?",
        "They left on 30 June 1989, when the light became automatic.",
        "They left on 12 March 1964, when a storm had broken the lamp.",
        "The light was made automatic on 30 June 1989, and with that the last of them went.",
        "Eleven ships had been lost on the reef.",
        "They left on 30 June 2003, when the light was put out for good.",
        "1989",
    ),
    Fact(
        "en",
        BEES,
        "How do bees inside the winter cluster make heat?",
        "They work their flight muscles without moving their wings.",
        "They beat their wings fast, which warms the air around the queen.",
        "Their flight muscles are at work while the wings stay still.",
        "The queen sits inside the cluster.",
        "They burn wax in their stomachs, which warms the air around the queen.",
        "flight muscles",
    ),
    Fact(
        "en",
        BEES,
        "In which winters does a colony of bees use more of its stores, mild or cold ones?",
        "It uses more in a mild winter, because active bees eat more than clustered ones.",
        "It uses more in a cold winter, because the cluster must burn more honey to stay warm.",
        "Mild ones cost it more stores: bees that are active eat more than those in a cluster.",
        "Honey bees do not hibernate.",
        "It uses the same in both, because the beekeeper feeds syrup in cold winters.",
        "mild winters",
    ),
    Fact(
        "en",
        BEES,
        "What is used against the mite Varroa in December?",
        "Oxalic acid is used, because no mites are hidden in closed brood then.",
        "Formic acid is used, because it reaches the mites in closed brood.",
        "The treatment is oxalic acid, at a time when closed brood hides no mites.",
        "Mice enter through gaps higher than 7 millimetres.",
        "Thymol oil is used, because no mites are hidden in closed brood then.",
        "oxalic acid",
    ),
    Fact(
        "en",
        BEES,
        "Below which air temperature does a colony form its winter cluster?",
        "The colony gathers in a cluster when the air falls below about 10 °C.",
        "The colony gathers in a cluster when the air falls below about 0 °C.",
        "At air temperatures under some 10 °C the bees draw together in a cluster.",
        "A colony uses 10 to 15 kilograms of stores.",
        "The colony gathers in a cluster when the air falls below about 18 °C.",
        "10 °C",
    ),
    Fact(
        "en",
        RAILWAY,
        "What was the gauge of the Orlen Valley Railway?",
        "It was built to a gauge of 762 millimetres, since standard gauge would have needed three more tunnels.",
        "It was built to the standard gauge of 1,435 millimetres, since that needed no transfer of the slate.",
        "Standard gauge would have meant three more tunnels, so a gauge of 762 millimetres was taken.",
        "The railway ran for 38 kilometres.",
        "It was built to a gauge of 600 millimetres, since standard gauge would have needed three more tunnels.",
        "762",
    ),
    Fact(
        "en",
        RAILWAY,
        "Why did passengers have to wait until October 1883 to travel on the Orlen Valley Railway?",
        "The inspector, Major Henry Collis, found that the carriages had no continuous brakes.",
        "The inspector, Major Henry Collis, found that the track had sunk near the quarries.",
        "Continuous brakes were missing on the carriages, as the inspector Major Henry Collis found.",
        "Goods trains began to run on 14 May 1883.",
        "The inspector, Major Henry Collis, found that the stations had no platforms.",
        "brakes",
    ),
    Fact(
        "en",
        RAILWAY,
        "At which end of the train did the rack engines stand?",
        "They always stood at the lower end of the train.",
        "They always stood at the upper end of the train.",
        "Their place was the lower end, on every trip.",
        "Owen Pryce lost a leg.",
        "They always stood in the middle of the train.",
        "the lower end",
    ),
    Fact(
        "en",
        RAILWAY,
        "What earned the Orlen Valley Railway most of its money before 1920?",
        "Slate did: passengers never brought in more than a fifth of the income.",
        "Passengers did: slate never brought in more than a fifth of the income.",
        "Most of it came from slate, since at most a fifth of the income was due to passengers.",
        "The rack engines stood at the lower end of the train.",
        "Timber did: passengers never brought in more than a fifth of the income.",
        "the slate",
    ),
    Fact(
        "en",
        RAILWAY,
        "What caused the accident of 19 January 1911 on the Orlen Valley Railway?",
        "Frozen grease kept the brake of a slate train from closing.",
        "A broken tooth of the rack rail threw a slate train off the track.",
        "The brake of a slate train could not close, because its grease was frozen.",
        "The line ran from Castemore to the slate quarries.",
        "A drunken signalman let two slate trains meet.",
        "frozen grease",
    ),
    Fact(
        "de",
        SALT,
        "Wie wird das Salz im Bergwerk von Tannau gewonnen?",
        "Es wird mit Wasser gelöst und nicht gehauen.",
        "Es wird mit Hämmern gehauen und in Körben getragen.",
        "Gehauen wird es nicht, sondern in Wasser gelöst.",
        "Die Saline liegt in Reuth.",
        "Es wird gesprengt und mit Zügen ans Tageslicht gebracht.",
        "mit Wasser",
    ),
    Fact(
        "de",
        SALT,
        "Wie lang ist die Leitung von Tannau nach Reuth?",
        "Die Leitung ist elf Kilometer lang und besteht aus Lärchenholz.",
        "Die Leitung ist vierzig Kilometer lang und besteht aus Lärchenholz.",
        "Sie misst elf Kilometer und ist aus Lärchenholz.",
        "Die Sole wird in flachen Pfannen eingedampft.",
        "Die Leitung ist sechs Kilometer lang und besteht aus Lärchenholz.",
        "elf Kilometer",
    ),
    Fact(
        "de",
        SALT,
        "Warum wurde die Sole in Reuth über Torf eingedampft?",
        "Man nahm Torf, weil Brennholz im Tal knapp war.",
        "Man nahm Torf, weil sein Rauch das Salz weiß macht.",
        "Es mangelte im Tal an Brennholz, deshalb brannte dort Torf.",
        "Die Sole enthält 26 Prozent Salz.",
        "Man nahm Torf, weil der König die Kohle verboten hatte.",
        "Brennholz knapp",
    ),
    Fact(
        "es",
        COFFEE,
        "¿Cuándo es la cosecha del café en la sierra de Palmar?",
        "La cosecha dura de noviembre a febrero.",
        "La cosecha dura de abril a julio.",
        "Se cosecha entre noviembre y febrero.",
        "El café crece a la sombra de los nogales.",
        "La cosecha dura de septiembre a octubre.",
        "noviembre",
    ),
    Fact(
        "es",
        COFFEE,
        "¿Por qué se recoge a mano el café de Palmar?",
        "Se recoge a mano porque los granos no maduran todos a la vez.",
        "Se recoge a mano porque las máquinas dañan las raíces de los nogales.",
        "Como los granos maduran en momentos distintos, hay que recogerlos a mano.",
        "Los granos se secan sobre esteras de junco.",
        "Se recoge a mano porque las pendientes son demasiado fuertes.",
        "maduran a la vez",
    ),
    Fact(
        "es",
        COFFEE,
        "¿Cuánto tiempo fermentan los granos de café en Palmar?",
        "Los granos fermentan durante 36 horas en tanques de cemento.",
        "Los granos fermentan durante 12 horas en barriles de madera.",
        "La fermentación de los granos, en tanques de cemento, dura 36 horas.",
        "El café crece entre 1.100 y 1.500 metros de altura.",
        "Los granos fermentan durante 90 horas en tanques de cemento.",
        "36 horas",
    ),
    Fact(
        "fr",
        CANAL,
        "Qui a creusé le canal de Brenne ?",
        "Le canal fut creusé par des prisonniers de guerre, de 1784 à 1791.",
        "Le canal fut creusé par des paysans de la région, de 1784 à 1791.",
        "Ce sont des prisonniers de guerre qui l'ont creusé entre 1784 et 1791.",
        "Le canal relie la Sorne à l'étang de Vaux.",
        "Le canal fut creusé par des soldats du roi, de 1784 à 1791.",
        "prisonniers de guerre",
    ),
    Fact(
        "fr",
        CANAL,
        "Combien d'écluses le canal de Brenne compte-t-il ?",
        "Il compte dix-neuf écluses pour un dénivelé de 52 mètres.",
        "Il compte sept écluses pour un dénivelé de 52 mètres.",
        "On y trouve dix-neuf écluses, qui rachètent 52 mètres de dénivelé.",
        "Les péniches transportaient de l'argile.",
        "Il compte trente écluses pour un dénivelé de 52 mètres.",
        "dix-neuf",
    ),
    Fact(
        "fr",
        CANAL,
        "Que transportaient surtout les péniches du canal de Brenne ?",
        "Elles transportaient surtout de l'argile pour les faïenceries.",
        "Elles transportaient surtout du vin pour les marchés de la capitale.",
        "L'argile destinée aux faïenceries était leur principale cargaison.",
        "Depuis 1972, on n'y voit que des bateaux de plaisance.",
        "Elles transportaient surtout du charbon pour les forges.",
        "argile",
    ),
)
