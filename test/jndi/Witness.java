// SPDX-License-Identifier: GPL-2.0-or-later
// A second witness for log4j.py: log4j's own StrSubstitutor and Interpolator, of the release on the class path, with a
// look-up of our own in JNDI's place that writes down what it is asked. Reads variants.py's texts (JSON, one a line),
// says how many it agrees on, up to the path (which may hold the machine's own values), and shows the first it does not.
// Later releases than 2.14 differ in two ways: the message is no longer substituted again, which is done here, and a
// value is no longer substituted, so texts that rest on that (an escaped "$${" in a default) are counted apart. So are
// those with a base64 look-up, which log4j has not.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.lookup.Interpolator;
import org.apache.logging.log4j.core.lookup.StrLookup;
import org.apache.logging.log4j.core.lookup.StrSubstitutor;

public class Witness {
	static final class Recorder implements StrLookup {
		final List<String> asked = new ArrayList<>();

		public String lookup(String key) {
			asked.add(key);
			return null;
		}

		public String lookup(LogEvent event, String key) {
			return lookup(key);
		}
	}

	static String text(String json, String name) {
		int at = json.indexOf("\"" + name + "\": \"") + name.length() + 5;
		StringBuilder out = new StringBuilder();
		for (; json.charAt(at) != '"'; at++) {
			char c = json.charAt(at);
			if (c != '\\') {
				out.append(c);
				continue;
			}
			c = json.charAt(++at);
			switch (c) {
			case 'u': out.append((char) Integer.parseInt(json.substring(at + 1, at + 5), 16)); at += 4; break;
			case 'n': out.append('\n'); break;
			case 'r': out.append('\r'); break;
			case 't': out.append('\t'); break;
			default: out.append(c);
			}
		}
		return out.toString();
	}

	static void format(StrSubstitutor substitutor, String message) {
		StringBuilder text = new StringBuilder(message);
		for (int i = 0; i < text.length() - 1; i++) {
			if (text.charAt(i) == '$' && text.charAt(i + 1) == '{') {
				String value = substitutor.replace(text.toString());
				text.setLength(0);
				text.append(value);
			}
		}
	}

	static String head(String name) {
		int slashes = name.indexOf("//");
		int path = slashes < 0 ? -1 : name.indexOf('/', slashes + 2);
		return path < 0 ? name : name.substring(0, path);
	}

	@SuppressWarnings("unchecked")
	public static void main(String[] args) throws Exception {
		Recorder recorder = new Recorder();
		Interpolator interpolator = new Interpolator(new HashMap<String, String>());
		java.lang.reflect.Field field = Interpolator.class.getDeclaredField("strLookupMap");
		field.setAccessible(true);
		((Map<String, StrLookup>) field.get(interpolator)).put("jndi", recorder);
		StrSubstitutor substitutor = new StrSubstitutor(interpolator);
		substitutor.setEnableSubstitutionInVariables(true);
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		int all = 0, agree = 0, apart = 0, shown = 0;
		Map<String, int[]> classes = new TreeMap<>();
		for (String line; (line = in.readLine()) != null;) {
			String message = text(line, "text"), expected = text(line, "asked"), said = "";
			if (text(line, "class").equals("base64") || message.contains("-$${")) {
				apart++;
				continue;
			}
			all++;
			int[] sums = classes.computeIfAbsent(text(line, "class"), k -> new int[2]);
			recorder.asked.clear();
			try {
				format(substitutor, message);
			} catch (RuntimeException e) {
				said = " (" + e + ")";
			}
			String last = recorder.asked.isEmpty() ? "nothing" : recorder.asked.get(recorder.asked.size() - 1);
			sums[0]++;
			if (head(last).equals(head(expected))) {
				agree++;
				sums[1]++;
			} else if (shown++ < 20) {
				System.out.println(text(line, "class") + ": " + message + "\n  log4j " + last + said + "\n  model "
						+ expected);
			}
		}
		for (Map.Entry<String, int[]> e : classes.entrySet())
			System.out.printf("%-20s %5d of %5d%n", e.getKey(), e.getValue()[1], e.getValue()[0]);
		System.out.println("log4j and the model agree on " + agree + " of " + all + "; counted apart " + apart);
	}
}
