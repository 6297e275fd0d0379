// SPDX-License-Identifier: GPL-2.0-or-later
// A stand-in for a program with CVE-2021-44228, for the laboratory only: it "logs" the header X-Api-Version and, like
// the logger of that time, performs the JNDI lookup it finds in there. Answers with one line that says what came of it.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.naming.InitialContext;
import javax.naming.NamingException;

public final class Lookup {
	private static final Pattern JNDI = Pattern.compile("\\$\\{jndi:([^}]+)\\}");

	private Lookup() {
	}

	public static void main(String[] arguments) throws IOException {
		HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(arguments[0])), 16);

		server.createContext("/", Lookup::answer);
		server.setExecutor(Executors.newFixedThreadPool(4));
		server.start();
	}

	private static void answer(HttpExchange exchange) throws IOException {
		String version = exchange.getRequestHeaders().getFirst("X-Api-Version");
		Matcher found = JNDI.matcher(version == null ? "" : version);
		String result = found.find() ? look(found.group(1)) : "nothing to look up";
		byte[] body = (result + "\n").getBytes(StandardCharsets.UTF_8);

		System.out.println(version + ": " + result);
		exchange.getResponseHeaders().set("Content-Type", "text/plain");
		exchange.sendResponseHeaders(200, body.length);
		exchange.getResponseBody().write(body);
		exchange.close();
	}

	private static String look(String url) {
		Properties environment = new Properties();

		// A connection that is cut in the middle must not hold the test up.
		environment.put("com.sun.jndi.ldap.connect.timeout", "4000");
		environment.put("com.sun.jndi.ldap.read.timeout", "4000");
		try {
			Object object = new InitialContext(environment).lookup(url);

			return "found " + (object == null ? "nothing" : object.getClass().getName());
		} catch (NamingException e) {
			return "failed: " + e;
		}
	}
}
