/// Lookups that ship under a name: every content with the word that Mautic's own list has for it.
///
/// Mautic refuses all that it is told together with a country or an industry that is not on its list
/// (fact A14), so what is not on it is kept from there.
package enum WordList: String, Sendable, CaseIterable {
    /// Mautic's `countries.json`, without its "Unknown", and with Kosovo, which later versions have.
    case countries
    /// Mautic's industries, as SuiteCRM spells those that it has too.
    case industries

    /// The list with these words, if they are one.
    package init?(_ words: [Translation.Word]) {
        guard let list = Self.allCases.first(where: { $0.words == words }) else { return nil }
        self = list
    }

    package var words: [Translation.Word] {
        switch self {
        case .countries: Self.countryWords
        case .industries: Self.industryWords
        }
    }

    private static let industryWords = read(
        """
        Aerospace & Defense|Agriculture|Apparel|Automotive & Assembly|Banking|Biotechnology|
        Chemicals|Communications|Construction|Consumer Packaged Goods|Education|Electronics|
        Energy|Engineering|Entertainment|Environmental|Finance|Food & Beverage|Government|
        Healthcare|Hospitality|Insurance|Machinery|Manufacturing|Media|Metals & Mining|
        Not For Profit=Not for Profit|Oil & Gas|Packaging & Paper|
        Private Equity & Principal Investors|Recreation|Real Estate|Retail|Semiconductors|
        Shipping|Social Sector|Technology|Telecommunications|Transportation|Utilities|Other
        """)

    private static let countryWords = read(
        """
        Afghanistan|Åland Islands|Albania|Algeria|Andorra|Angola|Anguilla|Antarctica|
        Antigua and Barbuda|Argentina|Armenia|Aruba|Australia|Austria|Azerbaijan|Bahamas|
        Bahrain|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bermuda|Bhutan|Bolivia|
        Bonaire, Saint Eustatius and Saba|Bosnia and Herzegovina|Botswana|Bouvet Island|
        Brazil|Brunei|Bulgaria|Burkina Faso|Burundi|Cambodia|Cameroon|Canada|Cape Verde|
        Cayman Islands|Central African Republic|Chad|Chile|China|Colombia|Comoros|
        Cook Islands|Costa Rica|Croatia|Cuba|Cyprus|Czech Republic|
        Democratic Republic of the Congo|Denmark|Djibouti|Dominica|Dominican Republic|
        East Timor|Ecuador|Egypt|El Salvador|Equatorial Guinea|Eritrea|Estonia|Ethiopia|
        Falkland Islands|Fiji|Finland|France|French Guiana|French Polynesia|Gabon|Gambia|
        Georgia|Germany|Ghana|Gibraltar|Greece|Greenland|Grenada|Guadeloupe|Guam|
        Guatemala|Guernsey|Guinea|Guinea Bissau|Guyana|Haiti|
        Heard Island and McDonald Islands|Holy See|Honduras|Hong Kong|Hungary|Iceland|India|
        Indonesia|Iran|Iraq|Ireland|Israel|Italy|Ivory Coast|Jamaica|Japan|Jersey|Jordan|Kazakhstan|
        Kenya|Kiribati|Kosovo|Kuwait|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|
        Liechtenstein|Lithuania|Luxembourg|Macao|Macedonia|Madagascar|Malawi|Malaysia|
        Maldives|Mali|Malta|Marshall Islands|Martinique|Mauritania|Mauritius|Mayotte|
        Mexico|Micronesia|Moldova|Monaco|Mongolia|Montenegro|Montserrat|Morocco|
        Mozambique|Myanmar|Namibia|Nauru|Nepal|Netherlands|New Caledonia|New Zealand|
        Nicaragua|Niger|Nigeria|Niue|North Korea|Northern Mariana Islands|Norway|Oman|
        Pakistan|Palau|Palestine|Panama|Papua New Guinea|Paraguay|Peru|Philippines|
        Pitcairn|Poland|Portugal|Puerto Rico|Qatar|Republic of the Congo|Réunion|Romania|
        Russia|Rwanda|Saint Barthelemy|Saint Helena, Ascension and Tristan da Cunha|
        Saint Kitts and Nevis|Saint Lucia|Saint Martin|Saint Pierre and Miquelon|
        Saint Vincent and the Grenadines|Samoa|San Marino|Sao Tome and Principe|Saudi Arabia|
        Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Solomon Islands|
        Somalia|South Africa|South Georgia and the South Sandwich Islands|South Korea|
        South Sudan|Spain|Sri Lanka|Sudan|Suriname|Svalbard and Jan Mayen|Swaziland|Sweden|
        Switzerland|Syria|Tahiti|Taiwan|Tajikistan|Tanzania|Thailand|Togo|Tokelau|Tonga|
        Trinidad and Tobago|Tunisia|Turkey|Turkmenistan|Turks and Caicos Islands|Tuvalu|
        Uganda|Ukraine|United Arab Emirates|United Kingdom|United States|Uruguay|Uzbekistan|
        Vanuatu|Venezuela|Vietnam|Virgin Islands (British)|Virgin Islands (U.S.)|
        Wallis and Futuna|Western Sahara|Yemen|Yugoslavia|Zambia|Zimbabwe
        """)

    /// Words between bars; behind `=` stands Mautic's where it is another one.
    private static func read(_ text: String) -> [Translation.Word] {
        text.replacing("\n", with: "").split(separator: "|").map { entry in
            let parts = entry.split(separator: "=").map(String.init)
            return Translation.Word(parts[0], parts.last ?? parts[0])
        }
    }
}
